// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IVault} from "../src/interfaces/IVault.sol";
import {Creator} from "./support/Creator.sol";
import {Network} from "./support/Network.sol";
import {OddToken} from "./support/OddToken.sol";

contract VaultTest is Network {
    uint256 private constant KEY = 0x4057;
    address private immutable holder = vm.addr(KEY);

    function test_Deposit_creditsWhatArrives() external {
        token.mint(address(this), 5e6);
        token.approve(address(vault), 5e6);
        vm.expectEmit();
        emit IVault.Deposited(address(token), holder, 5e6, address(this));
        vm.assertEq(vault.deposit(address(token), holder, 5e6), 5e6, "received");
        vm.assertEq(vault.balanceOf(address(token), holder), 5e6, "credited to whom it is for");
    }

    /// @notice chain.md 6.4 row 14: a token that takes a fee on the way is credited without the fee.
    function test_Row14_Deposit_countsFeeOnTransferTokens() external {
        (IVault odd, OddToken coin) = oddVault();
        coin.setFee(300);
        coin.mint(address(this), 1000);
        vm.assertEq(odd.deposit(address(coin), holder, 1000), 700, "700 arrived");
        vm.assertEq(odd.balanceOf(address(coin), holder), 700, "700 credited");
        vm.prank(holder);
        odd.withdraw(address(coin), 700, holder);
        vm.assertEq(coin.balanceOf(address(odd)), 0, "nothing stays");
        coin.setFee(1000);
        coin.mint(address(this), 1000);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNothingReceived.selector, address(coin)));
        odd.deposit(address(coin), holder, 1000);
    }

    /// @notice chain.md 6.4 row 16: a token that calls back gets nowhere.
    function test_Row16_Withdraw_refusesReentry() external {
        (IVault odd, OddToken coin) = oddVault();
        coin.mint(address(this), 1000);
        odd.deposit(address(coin), address(this), 1000);
        coin.mint(address(coin), 1000);
        coin.callBack(address(odd), abi.encodeCall(IVault.deposit, (address(coin), holder, 10)));
        vm.expectRevert();
        odd.withdraw(address(coin), 1000, holder);
        coin.callBack(address(odd), abi.encodeCall(IVault.withdraw, (address(coin), 10, holder)));
        vm.expectRevert();
        odd.withdraw(address(coin), 1000, holder);
        coin.callBack(address(0), "");
        odd.withdraw(address(coin), 1000, holder);
        vm.assertEq(coin.balanceOf(holder), 1000, "once");
    }

    function test_Deposit_revertsForOtherTokens() external {
        OddToken coin = new OddToken();
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultTokenUnknown.selector, address(coin)));
        vault.deposit(address(coin), holder, 1);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultTokenUnknown.selector, address(coin)));
        vault.depositWithPermit(address(coin), holder, 1, 0, 27, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultTokenUnknown.selector, address(coin)));
        vault.withdraw(address(coin), 1, holder);
        vm.expectRevert(IVault.VaultAddressZero.selector);
        vault.deposit(address(token), address(0), 1);
    }

    function test_Permit_depositsBySignatureOfAnyoneForTheSigner() external {
        token.mint(holder, 9e6);
        (uint8 v, bytes32 r, bytes32 s) = permit(9e6, now_());
        vault.depositWithPermit(address(token), holder, 9e6, now_(), v, r, s);
        vm.assertEq(vault.balanceOf(address(token), holder), 9e6, "the signer's");
    }

    /// @notice chain.md 6.4 row 13: the permit's amount, deadline and owner are what was signed, it is used once,
    /// and no one but the owner moves an allowance without one.
    function test_Row13_Permit_revertsForAnythingElse() external {
        token.mint(holder, 20e6);
        uint256 deadline = now_();
        (uint8 v, bytes32 r, bytes32 s) = permit(9e6, deadline);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultPermitRefused.selector, holder));
        vault.depositWithPermit(address(token), holder, 10e6, deadline, v, r, s);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultPermitRefused.selector, client));
        vault.depositWithPermit(address(token), client, 9e6, deadline, v, r, s);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultPermitRefused.selector, holder));
        vault.depositWithPermit(address(token), holder, 9e6, deadline + 1, v, r, s);
        vault.depositWithPermit(address(token), holder, 9e6, deadline, v, r, s);
        vm.prank(holder);
        token.approve(address(vault), 9e6);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultPermitRefused.selector, holder));
        vault.depositWithPermit(address(token), holder, 9e6, deadline, v, r, s);
    }

    /// @notice Somebody else sent the permit to the token first: the owner deposits all the same.
    function test_Permit_survivesBeingUsedAhead() external {
        token.mint(holder, 9e6);
        (uint8 v, bytes32 r, bytes32 s) = permit(9e6, now_());
        token.permit(holder, address(vault), 9e6, now_(), v, r, s);
        vm.prank(holder);
        vault.depositWithPermit(address(token), holder, 9e6, now_(), v, r, s);
        vm.assertEq(vault.balanceOf(address(token), holder), 9e6, "deposited");
    }

    function test_Withdraw_sendsTheSendersOwn() external {
        fund(holder, 9e6);
        vm.expectEmit();
        emit IVault.Withdrawn(address(token), holder, 4e6, client);
        vm.prank(holder);
        vault.withdraw(address(token), 4e6, client);
        vm.assertEq(token.balanceOf(client), 4e6, "sent");
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultBalanceTooLow.selector, holder, 6e6, 5e6));
        vm.prank(holder);
        vault.withdraw(address(token), 6e6, client);
        vm.expectRevert(IVault.VaultAddressZero.selector);
        vm.prank(holder);
        vault.withdraw(address(token), 1, address(0));
    }

    function test_Withdraw_reachesEarnings() external {
        bytes32 deal = open(termsOf(1, 1));
        prove(1, 1);
        finalise(1);
        market.settle(deal);
        uint256 all = vault.balanceOf(address(token), provider);
        vm.prank(provider);
        vault.withdraw(address(token), all, holder);
        vm.assertEq(token.balanceOf(holder), 1_000_000e6 - 90e6 + 0.95e6, "free and earned");
        vm.assertEq(vault.balanceOf(address(token), provider), 0, "nothing left");
        vm.assertEq(market.earnedOf(0, provider), 0, "collected");
        vm.assertEq(vault.heldOf(address(token)), 99e6 + 0.05e6, "escrow, collateral and the fee stay held");
    }

    function test_Fees_areTheFeeAccounts() external {
        bytes32 deal = open(termsOf(1, 1));
        prove(1, 1);
        finalise(1);
        market.settle(deal);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultCallerNotFeeAccount.selector, client));
        vm.prank(client);
        vault.withdrawFees(address(token), 1, client);
        vm.expectRevert(
            abi.encodeWithSelector(IVault.VaultBalanceTooLow.selector, feeAccount, 50_001, 50_000)
        );
        vm.prank(feeAccount);
        vault.withdrawFees(address(token), 50_001, holder);
        vm.prank(feeAccount);
        vault.withdrawFees(address(token), 30_000, holder);
        vm.assertEq(token.balanceOf(holder), 30_000, "sent");
        vm.assertEq(vault.feesCollected(address(token)), 50_000, "ever");
        vm.assertEq(vault.feesAvailable(address(token)), 20_000, "left");
    }

    function test_Moves_revertForAnybodyButMarketAndRegistry() external {
        bytes memory notMarket = abi.encodeWithSelector(IVault.VaultCallerNotMarket.selector, address(this));
        vm.expectRevert(notMarket);
        vault.lock(address(token), client, 1, provider, 1);
        vm.expectRevert(notMarket);
        vault.release(0, client, 1, provider, 1);
        bytes memory notRegistry =
            abi.encodeWithSelector(IVault.VaultCallerNotRegistry.selector, address(this));
        vm.expectRevert(notRegistry);
        vault.stake(client, 1);
        vm.expectRevert(notRegistry);
        vault.unstake(client, 1);
        vm.expectRevert();
        market.collect(0, provider);
    }

    function test_Construct_revertsForBadLists() external {
        Creator creator = new Creator();
        address[] memory none = new address[](0);
        address[] memory twice = new address[](2);
        (twice[0], twice[1]) = (address(token), address(token));
        address[] memory empty = new address[](1);
        empty[0] = holder;
        bytes memory code = vm.getCode("Vault.sol");
        bytes[3] memory bad = [abi.encode(none), abi.encode(twice), abi.encode(empty)];
        for (uint256 i = 0; i < 3; i++) {
            address[] memory list = abi.decode(bad[i], (address[]));
            bytes memory all = abi.encodePacked(code, abi.encode(list, client, client, client, client));
            vm.expectRevert(IVault.VaultTokenListInvalid.selector);
            creator.create(all);
        }
        address[] memory good = new address[](1);
        good[0] = address(token);
        bytes memory zero = abi.encodePacked(code, abi.encode(good, address(0), client, client, client));
        vm.expectRevert(IVault.VaultAddressZero.selector);
        creator.create(zero);
    }

    function test_Tokens_areListedInOrder() external view {
        vm.assertEq(vault.tokens()[0], address(token), "list");
        vm.assertEq(vault.tokenAt(0), address(token), "by index");
        vm.assertEq(vault.tokenIndex(address(token)), 0, "by address");
        vm.assertEq(vault.stakedOf(address(token)), MINIMUM_STAKE, "stake");
    }

    function oddVault() private returns (IVault odd, OddToken coin) {
        coin = new OddToken();
        address[] memory list = new address[](1);
        list[0] = address(coin);
        // The market answers for earnings; it knows nothing of this vault and owes nothing here.
        odd = IVault(
            vm.deployCode(
                "Vault.sol",
                abi.encode(list, feeAccount, address(registry), address(disputes), address(market))
            )
        );
    }

    function permit(uint256 amount, uint256 deadline) private view returns (uint8 v, bytes32 r, bytes32 s) {
        bytes32 hash = keccak256(
            abi.encode(
                keccak256(
                    "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
                ),
                holder,
                address(vault),
                amount,
                token.nonces(holder),
                deadline
            )
        );
        return vm.sign(KEY, keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), hash)));
    }
}
