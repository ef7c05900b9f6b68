// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IDealMarket} from "../src/interfaces/IDealMarket.sol";
import {Creator} from "./support/Creator.sol";
import {Network} from "./support/Network.sol";

contract DeploymentTest is Network {
    function test_Deployment_everythingPointsAtEachOther() external view {
        vm.assertEq(vault.market(), address(market), "vault to market");
        vm.assertEq(vault.registry(), address(registry), "vault to registry");
        vm.assertEq(registry.vault(), address(vault), "registry to vault");
        vm.assertEq(registry.proofs(), address(proofs), "registry to proofs");
        vm.assertEq(proofs.market(), address(market), "proofs to market");
        vm.assertEq(proofs.registry(), address(registry), "proofs to registry");
        vm.assertEq(proofs.beacon(), address(beacon), "proofs to beacon");
        address asked = address(disputes);
        vm.assertTrue(vault.disputes() == asked && registry.disputes() == asked, "money to disputes");
        vm.assertEq(proofs.disputes(), asked, "proofs to disputes");
        vm.assertEq(disputes.vault(), address(vault), "disputes to vault");
        vm.assertEq(disputes.registry(), address(registry), "disputes to registry");
        vm.assertEq(disputes.proofs(), address(proofs), "disputes to proofs");
        vm.assertEq(beacon.proofs(), address(proofs), "beacon to proofs");
        vm.assertEq(market.feeBps(), FEE_BPS, "fee");
        vm.assertEq(vault.feeAccount(), feeAccount, "fee account");
    }

    function test_Deployment_codeFitsTheLimit() external view {
        address[6] memory all = [
            address(beacon),
            address(vault),
            address(registry),
            address(proofs),
            address(disputes),
            address(market)
        ];
        for (uint256 i = 0; i < 6; i++) {
            vm.assertLe(all[i].code.length, 24_576, "EIP-170");
        }
    }

    /// @notice A second market for the same contracts is refused: they point at the first.
    function test_Construct_revertsForWrongWiring() external {
        Creator creator = new Creator();
        bytes memory code = abi.encodePacked(
            vm.getCode("DealMarket.sol"), abi.encode(vault, registry, proofs, disputes, FEE_BPS)
        );
        vm.expectRevert(IDealMarket.MarketWiringInvalid.selector);
        creator.create(code);
    }

    function test_Construct_revertsForAFeeOfEverything() external {
        Creator creator = new Creator();
        address market_ = vm.computeCreateAddress(address(creator), 1);
        address[] memory tokens = new address[](1);
        tokens[0] = address(token);
        uint256 next = vm.getNonce(address(this));
        address registry_ = vm.computeCreateAddress(address(this), next + 2);
        address proofs_ = vm.computeCreateAddress(address(this), next + 3);
        address disputes_ = vm.computeCreateAddress(address(this), next + 4);
        address beacon_ =
            vm.deployCode("DrandBeacon.sol", abi.encode(schedule(), beacon.publicKey(), proofs_));
        address vault_ =
            vm.deployCode("Vault.sol", abi.encode(tokens, feeAccount, registry_, disputes_, market_));
        vm.deployCode("ProviderRegistry.sol", abi.encode(vault_, proofs_, disputes_, 0));
        vm.deployCode("ProofLedger.sol", abi.encode(registry_, market_, disputes_, beacon_, rulesWith(5)));
        vm.deployCode("Disputes.sol", abi.encode(vault_, registry_, proofs_, BOND, SLASH));
        bytes memory code = abi.encodePacked(
            vm.getCode("DealMarket.sol"), abi.encode(vault_, registry_, proofs_, disputes_, 10_000)
        );
        vm.expectRevert(abi.encodeWithSelector(IDealMarket.MarketFeeInvalid.selector, 10_000));
        creator.create(code);
    }
}
