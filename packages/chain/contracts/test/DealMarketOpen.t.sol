// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IDealMarket} from "../src/interfaces/IDealMarket.sol";
import {IProofLedger} from "../src/interfaces/IProofLedger.sol";
import {IProviderRegistry} from "../src/interfaces/IProviderRegistry.sol";
import {IVault} from "../src/interfaces/IVault.sol";
import {Geometry} from "../src/libraries/Geometry.sol";
import {ProviderTree} from "../src/libraries/ProviderTree.sol";
import {DealTerms} from "../src/types/DealTerms.sol";
import {Network} from "./support/Network.sol";
import {Wallet} from "./support/Wallet.sol";

/// @notice Opening deals: who must have signed what, and with which money.
contract DealMarketOpenTest is Network {
    uint256 private constant START_BALANCE = 1_000_000e6;

    function test_Open_takesEscrowAndCollateral() external {
        DealTerms memory terms = termsOf(1, 5);
        bytes32 id = market.dealIdOf(terms);
        (bytes memory a, bytes memory b, bytes memory path) =
            (signed(CLIENT_KEY, id), signed(OPERATOR_KEY, id), slots.path(0));
        vm.expectEmit();
        emit IDealMarket.DealOpened(id, client, provider, terms.dataset, terms, 0, 1, 11);
        bytes32 deal = market.openDeal(terms, a, b, 0, path);

        vm.assertEq(deal, id, "the id is the digest");
        IDealMarket.Deal memory record = market.getDeal(deal);
        vm.assertTrue(record.state == IDealMarket.DealState.Active, "active");
        vm.assertEq(record.provider, provider, "provider");
        vm.assertEq(record.start, 1, "counts from the next period");
        vm.assertEq(record.end, 11, "for its term");
        vm.assertEq(record.settledThrough, 1, "nothing settled");
        vm.assertEq(record.token, address(token), "token");
        vm.assertEq(record.rate, RATE, "rate");
        vm.assertTrue(record.inTree && !record.faulted, "flags");
        vm.assertEq(balance(client), START_BALANCE - 10e6, "deposit");
        vm.assertEq(balance(provider), START_BALANCE - 90e6, "collateral");
        vm.assertEq(vault.heldOf(address(token)), 100e6, "held");
        vm.assertEq(market.escrowOf(terms), 10e6, "escrow");
    }

    function test_Open_endsWhenTheDepositEnds() external {
        DealTerms memory terms = termsOf(1, 1);
        terms.periods = 100;
        terms.deposit = 7_999_999;
        bytes32 deal = open(terms);
        vm.assertEq(market.getDeal(deal).end, 8, "seven periods are paid for");
    }

    function test_Open_worksForFree() external {
        DealTerms memory terms = termsOf(1, 1);
        (terms.rate, terms.deposit, terms.collateral) = (0, 0, 0);
        bytes32 deal = open(terms);
        prove(1, 1);
        finalise(1);
        market.settle(deal);
        vm.assertEq(market.getDeal(deal).proven, 1, "counted");
        finalise(10);
        market.closeDeal(terms);
        vm.assertEq(balance(client), START_BALANCE, "nothing moved");
    }

    function test_Open_revertsForTheSameTermsAgain() external {
        DealTerms memory terms = termsOf(1, 1);
        bytes32 deal = open(terms);
        vm.expectRevert(abi.encodeWithSelector(IDealMarket.MarketDealExists.selector, deal));
        this.openIt(terms, CLIENT_KEY, OPERATOR_KEY, 1, new bytes(40));
        finalise(10);
        market.closeDeal(terms);
        vm.expectRevert(abi.encodeWithSelector(IDealMarket.MarketDealExists.selector, deal));
        this.openIt(terms, CLIENT_KEY, OPERATOR_KEY, 1, new bytes(40));
    }

    function test_Open_revertsForSignaturesOfOthers() external {
        DealTerms memory terms = termsOf(1, 1);
        vm.expectRevert(abi.encodeWithSelector(IDealMarket.MarketClientSignatureInvalid.selector, client));
        this.openIt(terms, OPERATOR_KEY, OPERATOR_KEY, 0, "");
        vm.expectRevert(
            abi.encodeWithSelector(IDealMarket.MarketOperatorSignatureInvalid.selector, operator, client)
        );
        this.openIt(terms, CLIENT_KEY, CLIENT_KEY, 0, "");
    }

    function test_Open_revertsForMalformedSignatures() external {
        DealTerms memory terms = termsOf(1, 1);
        bytes32 id = market.dealIdOf(terms);
        bytes memory good = signed(CLIENT_KEY, id);
        bytes memory operators = signed(OPERATOR_KEY, id);
        vm.expectPartialRevert(IDealMarket.MarketOperatorSignatureInvalid.selector);
        market.openDeal(terms, good, "", 0, "");
        vm.expectPartialRevert(IDealMarket.MarketClientSignatureInvalid.selector);
        market.openDeal(terms, new bytes(65), operators, 0, "");
        good[64] = bytes1(uint8(good[64]) ^ 7);
        vm.expectPartialRevert(IDealMarket.MarketClientSignatureInvalid.selector);
        market.openDeal(terms, good, operators, 0, "");
    }

    /// @notice A signature binds every single term.
    function testFuzz_Open_revertsForAnyChangedTerm(uint256 field, uint128 change) external {
        DealTerms memory terms = termsOf(1, 1);
        bytes32 id = market.dealIdOf(terms);
        (bytes memory a, bytes memory b) = (signed(CLIENT_KEY, id), signed(OPERATOR_KEY, id));
        uint256[18] memory words = abi.decode(abi.encode(terms), (uint256[18]));
        uint8[18] memory widths =
            [160, 160, 160, 8, 128, 64, 128, 128, 32, 128, 128, 32, 128, 128, 128, 128, 64, 128];
        field = field % 18;
        uint256 flip = uint256(change) & ((uint256(1) << widths[field]) - 1);
        vm.assume(flip != 0);
        words[field] ^= flip;
        terms = abi.decode(abi.encode(words), (DealTerms));
        vm.expectRevert();
        market.openDeal(terms, a, b, 0, "");
    }

    function test_Open_acceptsAContractWallet() external {
        Wallet wallet = new Wallet(client);
        fund(address(wallet), 10e6);
        DealTerms memory terms = termsOf(1, 1);
        terms.client = address(wallet);
        open(terms);
        vm.assertEq(balance(address(wallet)), 0, "the wallet pays");
        terms.nonce = bytes32(uint256(2));
        vm.expectRevert(
            abi.encodeWithSelector(IDealMarket.MarketClientSignatureInvalid.selector, address(wallet))
        );
        this.openIt(terms, OPERATOR_KEY, OPERATOR_KEY, 1, "");
    }

    function test_Open_revertsForTermsThatCannotBe() external {
        DealTerms memory terms = termsOf(1, 1);
        terms.scheme = 2;
        refuse(terms, abi.encodeWithSelector(IDealMarket.MarketTermsInvalid.selector, "scheme"));
        terms = termsOf(1, 1);
        terms.periods = 0;
        refuse(terms, abi.encodeWithSelector(IDealMarket.MarketTermsInvalid.selector, "periods"));
        terms = termsOf(1, 1);
        (terms.rate, terms.deposit, terms.notice, terms.periods) = (0, 0, 0, type(uint32).max);
        refuse(terms, abi.encodeWithSelector(IDealMarket.MarketTermsInvalid.selector, "periods"));
        terms = termsOf(1, 1);
        terms.client = address(0);
        refuse(terms, abi.encodeWithSelector(IDealMarket.MarketTermsInvalid.selector, "client"));
        terms = termsOf(1, 1);
        terms.length = 0;
        refuse(terms, abi.encodeWithSelector(Geometry.PayloadEmpty.selector));
        terms.length = (1 << 50) + 1;
        refuse(terms, abi.encodeWithSelector(Geometry.PayloadTooLarge.selector, 1 << 50, terms.length));
        terms = termsOf(1, 1);
        terms.token = address(beacon);
        refuse(terms, abi.encodeWithSelector(IVault.VaultTokenUnknown.selector, address(beacon)));
        terms = termsOf(1, 1);
        terms.provider = client;
        refuse(terms, abi.encodeWithSelector(IProviderRegistry.RegistryProviderUnknown.selector, client));
    }

    function test_Open_revertsForSmallDeposits() external {
        DealTerms memory terms = termsOf(1, 1);
        terms.deposit = 3e6 - 1;
        refuse(terms, abi.encodeWithSelector(IDealMarket.MarketDepositTooSmall.selector, 3e6, 3e6 - 1));
        terms.periods = 2;
        terms.deposit = 2e6 - 1;
        refuse(terms, abi.encodeWithSelector(IDealMarket.MarketDepositTooSmall.selector, 2e6, 2e6 - 1));
        terms.notice = 0;
        terms.deposit = 1e6 - 1;
        refuse(terms, abi.encodeWithSelector(IDealMarket.MarketDepositTooSmall.selector, 1e6, 1e6 - 1));
    }

    function test_Open_revertsWhenTooLate() external {
        DealTerms memory terms = termsOf(1, 1);
        vm.warp(terms.openBefore + 1);
        refuse(
            terms,
            abi.encodeWithSelector(
                IDealMarket.MarketOpenTooLate.selector, terms.openBefore, terms.openBefore + 1
            )
        );
        vm.warp(terms.openBefore);
        open(terms);
    }

    function test_Open_revertsWhenTheProviderAcceptsNoDeals() external {
        IProviderRegistry.Settings memory closed = settings();
        closed.accepting = false;
        vm.prank(provider);
        registry.update(closed);
        refuse(
            termsOf(1, 1), abi.encodeWithSelector(IDealMarket.MarketProviderNotAccepting.selector, provider)
        );
    }

    function test_Open_revertsWithoutTheMoney() external {
        DealTerms memory terms = termsOf(1, 1);
        terms.deposit = uint128(START_BALANCE) + 1;
        refuse(
            terms,
            abi.encodeWithSelector(
                IVault.VaultBalanceTooLow.selector, client, START_BALANCE + 1, START_BALANCE
            )
        );
        terms = termsOf(1, 1);
        terms.collateral = uint128(START_BALANCE) + 1;
        refuse(
            terms,
            abi.encodeWithSelector(
                IVault.VaultBalanceTooLow.selector, provider, START_BALANCE + 1, START_BALANCE
            )
        );
    }

    function test_Open_revertsForATakenSlot() external {
        open(termsOf(1, 1));
        DealTerms memory second = termsOf(2, 1);
        vm.expectPartialRevert(ProviderTree.TreePathMismatch.selector);
        this.openIt(second, CLIENT_KEY, OPERATOR_KEY, 0, "");
    }

    /// @notice chain.md 6.4 row 18: weight and price come from the true length that both signed.
    function test_Row18_Open_weighsTheTrueLength() external {
        DealTerms memory terms = termsOf(1, 1);
        terms.length = 1;
        open(terms);
        (IProofLedger.Snapshot memory tree,) = proofs.treeOf(provider);
        vm.assertEq(tree.weight, 1, "one leaf");
        terms.nonce = bytes32(uint256(2));
        terms.length = 1025;
        open(terms);
        (tree,) = proofs.treeOf(provider);
        vm.assertEq(tree.weight, 3, "and two");
    }

    function openIt(
        DealTerms calldata terms,
        uint256 clientKey,
        uint256 operatorKey,
        uint32 slot,
        bytes calldata path
    ) external {
        bytes32 id = market.dealIdOf(terms);
        market.openDeal(terms, signed(clientKey, id), signed(operatorKey, id), slot, path);
    }

    function refuse(DealTerms memory terms, bytes memory reason) private {
        uint32 slot = slots.firstFree();
        bytes memory path = slots.path(slot);
        vm.expectRevert(reason);
        this.openIt(terms, CLIENT_KEY, OPERATOR_KEY, slot, path);
    }

    function balance(address owner) private view returns (uint256) {
        return vault.balanceOf(address(token), owner);
    }
}
