// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IProviderRegistry} from "../src/interfaces/IProviderRegistry.sol";
import {IVault} from "../src/interfaces/IVault.sol";
import {DealTerms} from "../src/types/DealTerms.sol";
import {Network} from "./support/Network.sol";

contract ProviderRegistryTest is Network {
    address private immutable other = vm.addr(0x07e4);
    address private immutable otherKey = vm.addr(0x07e5);

    function test_Register_storesAndStakes() external {
        fund(other, 150e6);
        IProviderRegistry.Settings memory mine = settingsFor(otherKey);
        vm.expectEmit();
        emit IProviderRegistry.ProviderRegistered(other, otherKey, mine);
        vm.expectEmit();
        emit IProviderRegistry.StakeChanged(other, 120e6);
        vm.prank(other);
        registry.register(mine, 120e6);
        (IProviderRegistry.Settings memory got, uint256 stake) = registry.getProvider(other);
        vm.assertEq(abi.encode(got), abi.encode(mine), "settings");
        vm.assertEq(stake, 120e6, "stake");
        vm.assertEq(registry.providerOf(otherKey), other, "operator");
        vm.assertEq(registry.providerCount(), 2, "count");
        vm.assertEq(registry.providerAt(1), other, "list");
        vm.assertEq(vault.balanceOf(address(token), other), 30e6, "free balance");
        vm.assertEq(vault.stakedOf(address(token)), MINIMUM_STAKE + 120e6, "staked");
    }

    function test_Register_revertsTwiceOrWithoutStake() external {
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.RegistryProviderExists.selector, provider));
        vm.prank(provider);
        registry.register(settingsFor(otherKey), MINIMUM_STAKE);
        vm.expectRevert(
            abi.encodeWithSelector(
                IProviderRegistry.RegistryStakeTooLow.selector, MINIMUM_STAKE, MINIMUM_STAKE - 1
            )
        );
        vm.prank(other);
        registry.register(settingsFor(otherKey), MINIMUM_STAKE - 1);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultBalanceTooLow.selector, other, MINIMUM_STAKE, 0));
        vm.prank(other);
        registry.register(settingsFor(otherKey), MINIMUM_STAKE);
    }

    function test_Operator_servesOneProvider() external {
        fund(other, MINIMUM_STAKE);
        vm.expectRevert(
            abi.encodeWithSelector(IProviderRegistry.RegistryOperatorTaken.selector, operator, provider)
        );
        vm.prank(other);
        registry.register(settings(), MINIMUM_STAKE);
        vm.expectRevert(IProviderRegistry.RegistryOperatorZero.selector);
        vm.prank(other);
        registry.register(settingsFor(address(0)), MINIMUM_STAKE);
        // Released by an update, it is free for another.
        vm.prank(provider);
        registry.update(settingsFor(otherKey));
        vm.assertEq(registry.providerOf(operator), address(0), "released");
        vm.prank(other);
        registry.register(settings(), MINIMUM_STAKE);
        vm.assertEq(registry.providerOf(operator), other, "taken");
    }

    function test_Update_replacesEverything() external {
        IProviderRegistry.Settings memory next = settings();
        (next.endpoint, next.region, next.accepting) = ("[::1]:1", "", false);
        next.pricePerTibMonth = 7;
        vm.expectEmit();
        emit IProviderRegistry.ProviderUpdated(provider, operator, next);
        vm.prank(provider);
        registry.update(next);
        (IProviderRegistry.Settings memory got,) = registry.getProvider(provider);
        vm.assertEq(abi.encode(got), abi.encode(next), "settings");
        (address key, bool accepting) = registry.operatorOf(provider);
        vm.assertEq(key, operator, "operator");
        vm.assertTrue(!accepting, "not accepting");
    }

    function test_Settings_revertOutOfBounds() external {
        IProviderRegistry.Settings memory bad = settings();
        bad.endpoint = "";
        refuse(bad, "endpoint", 255, 0);
        bad.endpoint = string(new bytes(256));
        refuse(bad, "endpoint", 255, 256);
        bad = settings();
        bad.region = string(new bytes(65));
        refuse(bad, "region", 64, 65);
        bad = settings();
        bad.token = address(beacon);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultTokenUnknown.selector, address(beacon)));
        vm.prank(provider);
        registry.update(bad);
    }

    function test_Unknown_providersRevert() external {
        bytes memory unknown =
            abi.encodeWithSelector(IProviderRegistry.RegistryProviderUnknown.selector, other);
        vm.expectRevert(unknown);
        registry.getProvider(other);
        vm.expectRevert(unknown);
        registry.operatorOf(other);
        vm.startPrank(other);
        vm.expectRevert(unknown);
        registry.update(settingsFor(otherKey));
        vm.expectRevert(unknown);
        registry.addStake(1);
        vm.expectRevert(unknown);
        registry.withdrawStake(1);
        vm.stopPrank();
        vm.assertTrue(!registry.isRegistered(other), "unknown");
    }

    function test_Stake_leavesOnlyWithoutDeals() external {
        DealTerms memory terms = termsOf(1, 3);
        open(terms);
        vm.prank(provider);
        registry.addStake(5e6);
        vm.expectRevert(
            abi.encodeWithSelector(IProviderRegistry.RegistryStakeLocked.selector, provider, true, false)
        );
        vm.prank(provider);
        registry.withdrawStake(1);
        IProviderRegistry.Settings memory closed = settings();
        closed.accepting = false;
        vm.prank(provider);
        registry.update(closed);
        vm.expectRevert(
            abi.encodeWithSelector(IProviderRegistry.RegistryStakeLocked.selector, provider, false, false)
        );
        vm.prank(provider);
        registry.withdrawStake(1);
        vm.warp(startOf(11));
        releaseSlot(terms);
        vm.expectRevert(
            abi.encodeWithSelector(IProviderRegistry.RegistryStakeLocked.selector, provider, false, false)
        );
        vm.prank(provider);
        registry.withdrawStake(1);
        finalise(11);
        vm.startPrank(provider);
        vm.expectRevert(
            abi.encodeWithSelector(
                IProviderRegistry.RegistryStakeTooLow.selector, MINIMUM_STAKE + 5e6 + 1, MINIMUM_STAKE + 5e6
            )
        );
        registry.withdrawStake(MINIMUM_STAKE + 5e6 + 1);
        registry.withdrawStake(MINIMUM_STAKE + 5e6);
        vm.assertEq(vault.stakedOf(address(token)), 0, "all out");
        vm.expectRevert(
            abi.encodeWithSelector(IProviderRegistry.RegistryStakeTooLow.selector, MINIMUM_STAKE, 0)
        );
        registry.update(settings());
        vm.stopPrank();
    }

    function refuse(IProviderRegistry.Settings memory bad, string memory field, uint256 most, uint256 actual)
        private
    {
        vm.expectRevert(
            abi.encodeWithSelector(IProviderRegistry.RegistryTextLength.selector, field, most, actual)
        );
        vm.prank(provider);
        registry.update(bad);
    }
}
