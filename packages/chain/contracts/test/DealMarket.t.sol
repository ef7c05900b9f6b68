// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IDealMarket} from "../src/interfaces/IDealMarket.sol";
import {DealTerms} from "../src/types/DealTerms.sol";
import {Network} from "./support/Network.sol";
import {PayloadTree} from "./support/PayloadTree.sol";
import {Wallet} from "./support/Wallet.sol";

/// @notice What open deals pay, and how they end.
contract DealMarketTest is Network {
    uint256 private constant START_BALANCE = 1_000_000e6;

    function test_Settle_paysProvenPeriodsOnly() external {
        DealTerms memory terms = termsOf(1, 5);
        bytes32 deal = open(terms);
        prove(1, 1);
        // Period 2 gets no seed, period 3 a seed and no proof.
        seed(3);
        prove(4, 1);
        finalise(4);
        vm.expectEmit();
        emit IDealMarket.DealSettled(deal, 5, 2e6, 0.1e6);
        market.settle(deal);
        vm.assertEq(balance(provider), START_BALANCE - 90e6 + 1.9e6, "95 %");
        vm.assertEq(vault.feesCollected(address(token)), 0.1e6, "5 %");
        vm.assertEq(market.escrowOf(terms), 8e6, "the rest is escrow");
        vm.assertEq(market.getDeal(deal).proven, 2, "two periods");
    }

    /// @notice chain.md 6.4 row 10: settling at any time succeeds, and zero is a valid result.
    function test_Row10_Settle_isZeroBeforeAnythingIsFinal() external {
        bytes32 deal = open(termsOf(1, 1));
        market.settle(deal);
        vm.warp(startOf(1) + WINDOW + DISPUTE_TIME - 1);
        market.settle(deal);
        vm.assertEq(market.getDeal(deal).settledThrough, 1, "nothing is final");
        vm.warp(startOf(1) + WINDOW + DISPUTE_TIME);
        market.settle(deal);
        vm.assertEq(market.getDeal(deal).settledThrough, 2, "missed is final after the dispute time");
        vm.assertEq(market.getDeal(deal).paid, 0, "and not paid");
        market.settle(deal);
    }

    /// @notice A proven period is paid after the dispute time, once.
    function test_Settle_paysAPeriodOnceItIsFinal() external {
        bytes32 deal = open(termsOf(1, 1));
        prove(1, 1);
        market.settle(deal);
        vm.assertEq(market.getDeal(deal).paid, 0, "not yet");
        finalise(1);
        market.settle(deal);
        vm.assertEq(market.getDeal(deal).paid, 1e6, "paid");
        market.settle(deal);
        vm.assertEq(market.getDeal(deal).paid, 1e6, "once");
    }

    /// @notice chain.md 6.4 row 19: the period of the opening is not paid although it is proven later; the first
    /// and the last counted one are, the one after is not.
    function test_Row19_Settle_countsFromStartUpToEnd() external {
        open(termsOf(1, 1));
        vm.warp(startOf(1) + 1);
        DealTerms memory terms = termsOf(2, 1);
        terms.periods = 2;
        // Period 1 is proven for deal 1 before deal 2 opens: the tree at its start has only deal 1.
        prove(1, 1);
        terms.openBefore = uint64(now_());
        bytes32 deal = open(terms);
        for (uint64 p = 2; p <= 4; p++) {
            prove(p, two(1, 2));
        }
        finalise(4);
        market.settle(deal);
        vm.assertEq(market.getDeal(deal).start, 2, "start");
        vm.assertEq(market.getDeal(deal).end, 4, "end");
        vm.assertEq(market.getDeal(deal).paid, 2e6, "periods 2 and 3");
    }

    /// @notice chain.md 6.4 row 7: a settlement costs the same after one period and after hundreds.
    function test_Row7_Settle_costIsIndependentOfHistory() external {
        DealTerms memory terms = termsOf(1, 1);
        (terms.periods, terms.deposit) = (1000, 1000e6);
        bytes32 deal = open(terms);
        // Every third period is proven; 128 periods share a word, so that several words fill.
        for (uint64 p = 1; p < 500; p += 3) {
            prove(p, 1);
        }
        finalise(499);
        market.settle(deal);
        prove(502, 1);
        finalise(502);
        uint256 before = gasleft();
        market.settle(deal);
        uint256 late = before - gasleft();
        vm.assertEq(market.getDeal(deal).proven, 168, "all counted");
        vm.assertLe(late, 20_000, "warm storage, no loop");
    }

    function test_SettleMany_isTheSumOfSingles() external {
        bytes32[] memory deals = new bytes32[](3);
        for (uint256 i = 0; i < 3; i++) {
            DealTerms memory terms = termsOf(i + 1, 1);
            terms.rate = uint128(RATE * (i + 1));
            terms.periods = uint32(2 + i);
            terms.deposit = 100e6;
            deals[i] = open(terms);
        }
        uint256[] memory nonces = new uint256[](3);
        (nonces[0], nonces[1], nonces[2]) = (1, 2, 3);
        for (uint64 p = 1; p <= 5; p++) {
            prove(p, nonces);
            if (p == 4) market.settle(deals[1]);
        }
        finalise(5);
        market.settleMany(deals);
        market.settleMany(deals);
        vm.assertEq(market.getDeal(deals[0]).paid, 2e6, "two periods at one");
        vm.assertEq(market.getDeal(deals[1]).paid, 6e6, "three at two");
        vm.assertEq(market.getDeal(deals[2]).paid, 12e6, "four at three");
        vm.assertEq(balance(provider), START_BALANCE - 270e6 + 19e6, "95 % of 20");
        vm.assertEq(vault.feesCollected(address(token)), 1e6, "5 % of 20");
        market.settleMany(new bytes32[](0));
    }

    /// @notice A batch that changes provider and token from deal to deal pays each its own.
    function test_SettleMany_acrossProvidersAndTokens() external {
        address second = vm.addr(0x5ec0);
        fund(second, MINIMUM_STAKE);
        vm.prank(second);
        registry.register(settingsFor(vm.addr(0x5ec1)), MINIMUM_STAKE);
        fund(secondToken, client, 100e6);

        bytes32[] memory deals = new bytes32[](4);
        deals[0] = open(termsOf(1, 1));
        DealTerms memory terms = termsOf(2, 1);
        (terms.provider, terms.collateral, terms.rate, terms.deposit) = (second, 0, 2 * RATE, 20e6);
        deals[1] = openWith(terms, 0x5ec1);
        terms = termsOf(3, 1);
        (terms.token, terms.collateral, terms.rate, terms.deposit) = (address(secondToken), 0, 3 * RATE, 30e6);
        deals[2] = open(terms);
        deals[3] = open(termsOf(4, 1));

        // The second provider proves periods 1 and 2, the first only 1.
        uint256[] memory nonces = new uint256[](3);
        (nonces[0], nonces[1], nonces[2]) = (1, 3, 4);
        prove(1, nonces);
        proveAlone(second, 1, deals[1], 2);
        seed(2);
        proveAlone(second, 2, deals[1], 2);
        finalise(2);
        market.settleMany(deals);

        vm.assertEq(balance(provider), START_BALANCE - 180e6 + 1.9e6, "deals 1 and 4, one period");
        vm.assertEq(balance(second), 3.8e6, "deal 2, two periods");
        vm.assertEq(vault.balanceOf(address(secondToken), provider), 2.85e6, "deal 3, one period");
        vm.assertEq(vault.feesCollected(address(token)), 0.3e6, "fees");
        vm.assertEq(vault.feesCollected(address(secondToken)), 0.15e6, "fees in the second token");
    }

    function test_Settle_revertsForUnknownDeals() external {
        vm.expectRevert(abi.encodeWithSelector(IDealMarket.MarketDealUnknown.selector, bytes32("?")));
        market.settle(bytes32("?"));
    }

    /// @notice chain.md 6.4 row 15: the fee is on every payout path, and the same however often is settled.
    function testFuzz_Row15_Settle_feeIsIndependentOfHowOften(uint8 pattern, uint64 oddRate) external {
        DealTerms memory terms = termsOf(1, 1);
        terms.rate = uint128(bound(oddRate, 1, 1e15));
        bytes32 deal = open(terms);
        for (uint64 p = 1; p <= 6; p++) {
            prove(p, 1);
            if ((pattern >> p) & 1 == 1) market.settle(deal);
        }
        finalise(10);
        market.closeDeal(terms);
        uint256 paid = uint256(terms.rate) * 6 * PERIOD / 1e12;
        vm.assertEq(market.getDeal(deal).paid, paid, "paid");
        vm.assertEq(vault.feesCollected(address(token)), paid * 500 / 10_000, "fee");
        vm.assertEq(balance(provider), START_BALANCE + paid - paid * 500 / 10_000, "provider");
        vm.assertEq(balance(client), START_BALANCE - paid, "client");
        vm.assertEq(
            vault.heldOf(address(token)),
            market.feesOf(0) + market.earnedOf(0, provider),
            "nothing else stays"
        );
    }

    /// @notice chain.md 6.4 row 9: no party's code runs when money leaves a deal, so none can hold it up.
    function test_Row9_Close_callsNoParty() external {
        Wallet wallet = new Wallet(client);
        fund(address(wallet), 10e6);
        DealTerms memory terms = termsOf(1, 1);
        terms.client = address(wallet);
        open(terms);
        // From now on the wallet fails on every call.
        vm.etch(address(wallet), hex"fe");
        vm.etch(provider, hex"fe");
        prove(1, 1);
        finalise(10);
        market.closeDeal(terms);
        vm.assertEq(balance(address(wallet)), 9e6, "refunded");
    }

    /// @notice chain.md 6.4 row 11: proving needs no money and moves none.
    function test_Row11_Prove_worksWithoutMoney() external {
        bytes32 deal = open(termsOf(1, 1));
        uint256 all = balance(provider);
        vm.prank(provider);
        vault.withdraw(address(token), all, provider);
        uint256 held = vault.heldOf(address(token));
        for (uint64 p = 1; p <= 3; p++) {
            prove(p, 1);
        }
        vm.assertEq(vault.heldOf(address(token)), held, "nothing moved");
        finalise(3);
        market.settle(deal);
        vm.assertEq(balance(provider), 2.85e6, "and all is paid");
    }

    // Ending

    function test_Terminate_endsAfterTheNotice() external {
        DealTerms memory terms = termsOf(1, 1);
        bytes32 deal = open(terms);
        vm.warp(startOf(2));
        vm.expectEmit();
        emit IDealMarket.DealTerminated(deal, provider, 6);
        vm.prank(client);
        market.terminateDeal(terms);
        for (uint64 p = 3; p <= 6; p++) {
            prove(p, 1);
        }
        vm.expectRevert(abi.encodeWithSelector(IDealMarket.MarketDealNotFinal.selector, deal, 6, 4));
        market.closeDeal(terms);
        finalise(5);
        market.closeDeal(terms);
        vm.assertEq(market.getDeal(deal).paid, 3e6, "the notice is paid: 3, 4 and 5");
        vm.assertEq(balance(client), START_BALANCE - 3e6, "the rest is back");
        vm.assertEq(balance(provider), START_BALANCE + 2.85e6, "with the collateral");
    }

    function test_Terminate_neverProlongs() external {
        DealTerms memory terms = termsOf(1, 1);
        bytes32 deal = open(terms);
        vm.warp(startOf(9));
        vm.prank(client);
        market.terminateDeal(terms);
        vm.assertEq(market.getDeal(deal).end, 11, "its term comes first");
        vm.warp(startOf(11));
        vm.expectRevert(abi.encodeWithSelector(IDealMarket.MarketDealEnded.selector, deal, 11));
        vm.prank(client);
        market.terminateDeal(terms);
    }

    function test_Terminate_revertsForAnybodyElse() external {
        DealTerms memory terms = termsOf(1, 1);
        open(terms);
        vm.expectRevert(abi.encodeWithSelector(IDealMarket.MarketCallerNotClient.selector, client, operator));
        vm.prank(operator);
        market.terminateDeal(terms);
        terms.client = operator;
        vm.expectPartialRevert(IDealMarket.MarketDealUnknown.selector);
        vm.prank(operator);
        market.terminateDeal(terms);
    }

    /// @notice chain.md 6.4 row 20: closing pays what was proven before it returns the rest.
    function test_Row20_Close_settlesFirst() external {
        DealTerms memory terms = termsOf(1, 1);
        bytes32 deal = open(terms);
        prove(1, 1);
        prove(10, 1);
        vm.expectRevert(abi.encodeWithSelector(IDealMarket.MarketDealNotEnded.selector, deal, 11));
        market.closeDeal(terms);
        finalise(10);
        vm.expectEmit();
        emit IDealMarket.DealSettled(deal, 11, 2e6, 0.1e6);
        vm.expectEmit();
        emit IDealMarket.DealClosed(deal, provider, 8e6, 90e6, 0, 0);
        market.closeDeal(terms);
        vm.assertTrue(market.getDeal(deal).state == IDealMarket.DealState.Closed, "closed");
        vm.assertEq(market.escrowOf(terms), 0, "no escrow");
        vm.expectRevert(abi.encodeWithSelector(IDealMarket.MarketDealClosed.selector, deal));
        market.closeDeal(terms);
        market.settle(deal);
        vm.assertEq(balance(client), START_BALANCE - 2e6, "client");
        vm.assertEq(balance(provider), START_BALANCE + 1.9e6, "provider");
    }

    // Faults

    function test_Fault_stopsPayAtOnce() external {
        DealTerms memory terms = termsOf(1, 3);
        bytes32 deal = open(terms);
        open(termsOf(2, 3));
        prove(1, two(1, 2));
        seed(2);
        bytes[] memory list = answers(2, two(1, 2));
        fault(terms);
        IDealMarket.Deal memory record = market.getDeal(deal);
        vm.assertTrue(record.state == IDealMarket.DealState.Faulty, "faulty");
        vm.assertEq(record.faultedFrom, 2, "from this period");
        vm.assertTrue(!record.inTree, "out of the tree");
        // The tree of this period still has it; the one of the next has not.
        vm.prank(operator);
        proofs.provePeriod(provider, 2, list);
        prove(3, two(1, 2));
        finalise(3);
        market.settle(deal);
        vm.assertEq(market.getDeal(deal).paid, 1e6, "period 1 only");
    }

    function test_Fault_afterProvingCountsFromTheNextPeriod() external {
        DealTerms memory terms = termsOf(1, 3);
        bytes32 deal = open(terms);
        prove(1, 1);
        fault(terms);
        vm.assertEq(market.getDeal(deal).faultedFrom, 2, "from the next");
        finalise(1);
        market.settle(deal);
        vm.assertEq(market.getDeal(deal).paid, 1e6, "period 1 is paid");
    }

    function test_Fault_beforeTheStartPaysNothing() external {
        DealTerms memory terms = termsOf(1, 3);
        bytes32 deal = open(terms);
        fault(terms);
        vm.assertEq(market.getDeal(deal).faultedFrom, 1, "from the start");
        finalise(10);
        market.closeDeal(terms);
        vm.assertEq(balance(client), START_BALANCE + 5e6, "all back, and half of ten periods' pay");
    }

    function test_Fault_afterAPaidPeriod() external {
        DealTerms memory terms = termsOf(1, 3);
        bytes32 deal = open(terms);
        prove(1, 1);
        finalise(1);
        market.settle(deal);
        vm.assertEq(market.getDeal(deal).settledThrough, 2, "period 1 is final");
        fault(terms);
        vm.assertEq(market.getDeal(deal).faultedFrom, 3, "from the present one");
        market.settle(deal);
        finalise(10);
        market.closeDeal(terms);
        vm.assertEq(market.getDeal(deal).paid, 1e6, "one period was paid");
        vm.assertEq(balance(client), START_BALANCE - 1e6 + 4e6, "and half of eight charged");
        vm.assertEq(balance(provider), START_BALANCE + 0.95e6 - 8e6, "eight periods' pay of the collateral");
        vm.assertEq(vault.feesCollected(address(token)), 0.05e6 + 4e6, "fee and the other half");
    }

    function test_Fault_letsTheClientLeaveAtOnce() external {
        DealTerms memory terms = termsOf(1, 3);
        bytes32 deal = open(terms);
        vm.warp(startOf(3));
        fault(terms);
        vm.prank(client);
        market.terminateDeal(terms);
        vm.assertEq(market.getDeal(deal).end, 4, "no notice");
        finalise(3);
        market.closeDeal(terms);
        vm.assertEq(balance(client), START_BALANCE + 0.5e6, "all back, and half a period's pay");
    }

    function test_Fault_revertsTwiceEndedOrByOthers() external {
        DealTerms memory terms = termsOf(1, 3);
        bytes32 deal = open(terms);
        vm.expectRevert(
            abi.encodeWithSelector(IDealMarket.MarketCallerNotOperator.selector, operator, client)
        );
        vm.prank(client);
        market.declareFault(terms, "");
        vm.warp(startOf(11));
        vm.expectRevert(abi.encodeWithSelector(IDealMarket.MarketDealEnded.selector, deal, 11));
        vm.prank(operator);
        market.declareFault(terms, "");
        vm.warp(startOf(10));
        fault(terms);
        vm.expectRevert(abi.encodeWithSelector(IDealMarket.MarketDealFaulted.selector, deal));
        vm.prank(operator);
        market.declareFault(terms, "");
    }

    // Slots

    function test_Release_freesTheSlotOfAnEndedDeal() external {
        DealTerms memory terms = termsOf(1, 3);
        bytes32 deal = open(terms);
        vm.expectRevert(abi.encodeWithSelector(IDealMarket.MarketDealNotEnded.selector, deal, 11));
        vm.prank(operator);
        market.releaseSlot(terms, "");
        vm.warp(startOf(11));
        vm.expectRevert(
            abi.encodeWithSelector(IDealMarket.MarketCallerNotOperator.selector, operator, client)
        );
        vm.prank(client);
        market.releaseSlot(terms, "");
        releaseSlot(terms);
        vm.assertTrue(!market.getDeal(deal).inTree, "out");
        finalise(10);
        vm.expectRevert(abi.encodeWithSelector(IDealMarket.MarketSlotFree.selector, deal));
        vm.prank(operator);
        market.releaseSlot(terms, "");
        market.closeDeal(terms);
        DealTerms memory next = termsOf(2, 4);
        vm.assertEq(market.getDeal(open(next)).slot, 0, "the slot is used again");
    }

    /// @notice Opens the first deal of another provider.
    function openWith(DealTerms memory terms, uint256 operatorKey) private returns (bytes32) {
        bytes32 id = market.dealIdOf(terms);
        (bytes memory a, bytes memory b) = (signed(CLIENT_KEY, id), signed(operatorKey, id));
        return market.openDeal(terms, a, b, 0, "");
    }

    /// @notice Proves a seeded period for a provider whose tree is one deal of one leaf.
    function proveAlone(address owner, uint64 of_, bytes32 deal, uint256 nonce) private {
        bytes memory one = abi.encodePacked(
            deal,
            uint8(1),
            PayloadTree.root(bytes32(nonce), 1),
            uint64(1),
            uint32(0),
            PayloadTree.opening(bytes32(nonce), 1, 0)
        );
        bytes[] memory list = new bytes[](5);
        for (uint256 i = 0; i < 5; i++) {
            list[i] = one;
        }
        (address key,) = registry.operatorOf(owner);
        vm.prank(key);
        proofs.provePeriod(owner, of_, list);
    }

    function balance(address owner) private view returns (uint256) {
        return vault.balanceOf(address(token), owner);
    }
}
