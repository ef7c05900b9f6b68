// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IDealMarket} from "../src/interfaces/IDealMarket.sol";
import {IProofLedger} from "../src/interfaces/IProofLedger.sol";
import {IProviderRegistry} from "../src/interfaces/IProviderRegistry.sol";
import {DealTerms} from "../src/types/DealTerms.sol";
import {Bundles} from "./support/Bundles.sol";

/// @notice Misses, faults, and every way a deal ends, with the money counted to the unit.
contract EndingsTest is Bundles {
    uint256 private constant START_BALANCE = 1_000_000e6;

    DealTerms private _terms;
    bytes32 private _deal;

    function setUp() public override {
        super.setUp();
        DealTerms memory terms = termsOf(1, 5);
        (terms.periods, terms.deposit) = (60, 60e6);
        _deal = open(terms);
        _terms = terms;
    }

    // Misses

    /// @notice Two of a block of 30 are free, each further one costs three periods' pay; half goes to the client.
    function test_Miss_chargesThreePeriodsAfterTwoFreeOnes() external {
        for (uint64 p = 1; p <= 5; p++) {
            seed(p);
            if (p == 4) prove(4, 1);
            else vm.warp(startOf(p) + WINDOW);
            if (p != 4) {
                vm.expectEmit();
                emit IProofLedger.PeriodMissed(provider, p);
                proofs.reportMissed(provider, p);
            }
        }
        vm.assertEq(proofs.faultUnits(provider, 1, 6), 6, "two beyond two");
        endBy(20);
        market.closeDeal(_terms);
        expectMoney(1, 6e6, false);
    }

    function test_Miss_canBeReportedOnceUntilItIsFinal() external {
        seed(1);
        vm.expectRevert(
            abi.encodeWithSelector(IProofLedger.ProofsWindowOpen.selector, 1, startOf(1) + WINDOW)
        );
        proofs.reportMissed(provider, 1);
        vm.warp(startOf(1) + WINDOW + DISPUTE_TIME - 1);
        proofs.reportMissed(provider, 1);
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsMissRecorded.selector, provider, 1));
        proofs.reportMissed(provider, 1);
        finalise(2);
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsPeriodFinal.selector, provider, 2));
        proofs.reportMissed(provider, 2);
        // Void, proven, or without anything to prove.
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsNotMissed.selector, provider, 3));
        proofs.reportMissed(provider, 3);
        prove(5, 1);
        vm.warp(startOf(5) + WINDOW);
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsNotMissed.selector, provider, 5));
        proofs.reportMissed(provider, 5);
    }

    // Termination of a provider

    function test_Termination_endsAllDealsAndSeizesTheCollateral() external {
        DealTerms memory short = termsOf(2, 1);
        short.periods = 3;
        open(short);
        prove(1, two(1, 2));
        seedOnly(2, 15);
        uint64[] memory misses = range(2, 14);
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsNotMissed.selector, provider, 15));
        proofs.terminateProvider(provider, misses);
        vm.warp(startOf(15) + WINDOW);
        vm.expectEmit();
        emit IProofLedger.ProviderTerminated(provider, 16);
        vm.expectEmit();
        emit IProviderRegistry.ProviderStopped(provider);
        proofs.terminateProvider(provider, misses);
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsTerminated.selector, provider, 16));
        proofs.terminateProvider(provider, misses);
        seed(16);
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsTerminated.selector, provider, 16));
        put(16, bytes32(uint256(9)));
        vm.expectRevert(
            abi.encodeWithSelector(IProviderRegistry.RegistryProviderTerminated.selector, provider)
        );
        vm.prank(provider);
        registry.update(settings());

        finalise(15);
        IDealMarket.Deal memory record = market.getDeal(_deal);
        vm.assertTrue(record.end == 16 && record.lost, "ended by it");
        market.closeDeal(_terms);
        market.closeDeal(short);
        // The short deal ended on its own before: paid once, nothing seized.
        vm.assertEq(balance(client), START_BALANCE - 2e6 + 50e6, "refunds and the replacement cost");
        vm.assertEq(balance(provider), START_BALANCE + 1.9e6 - 90e6, "one collateral is gone");
        vm.assertEq(vault.feesAvailable(address(token)), 0.1e6 + 40e6, "the rest of it");
    }

    function test_Termination_revertsWithAMarkBetweenOrAFinalOneAfter() external {
        for (uint64 p = 1; p <= 16; p++) {
            seed(p);
            if (p == 8) prove(8, 1);
        }
        vm.warp(startOf(17));
        uint64[] memory list = new uint64[](14);
        for (uint64 i = 0; i < 14; i++) {
            list[i] = i < 7 ? i + 1 : i + 2;
        }
        refuseTermination(list);
        uint64[] memory wrong = range(9, 13);
        refuseTermination(wrong);
        wrong = range(9, 14);
        wrong[1] = wrong[0];
        refuseTermination(wrong);
        seedOnly(17, 22);
        prove(23, 1);
        vm.warp(startOf(23) + WINDOW);
        // The mark of 23 is not final: it does not help.
        uint256 before = vm.snapshotState();
        proofs.terminateProvider(provider, range(9, 14));
        vm.assertEq(proofs.terminatedAt(provider), 23, "terminated");
        finalise(23);
        (, uint64 proven) = proofs.accrued(provider, 1, 60);
        vm.assertEq(proven, 1, "what came after does not count");
        vm.revertToState(before);
        finalise(23);
        refuseTermination(range(9, 14));
    }

    // Faults

    function test_Fault_chargesAPeriodForAPeriodUntilItIsRecovered() external {
        prove(1, 1);
        vm.warp(startOf(2));
        fault(_terms);
        vm.warp(startOf(4));
        recover(5);
        IDealMarket.Deal memory record = market.getDeal(_deal);
        vm.assertTrue(!record.faulted && record.inTree, "back");
        vm.assertTrue(record.faultedFrom == 2 && record.recoveredAt == 6, "the gap");
        vm.assertTrue(standing().auditNext, "the next commit is audited");
        Book memory book = commit(6, 1);
        vm.assertTrue(standing().auditOwed, "as said");
        proofs.answerAudit(provider, auditOf(book));
        commit(7, 1);
        finalise(4);
        market.settle(_deal);
        vm.assertEq(market.getDeal(_deal).settledThrough, 2, "stops before the gap");
        finalise(7);
        market.settle(_deal);
        record = market.getDeal(_deal);
        vm.assertTrue(record.proven == 3 && record.settledThrough == 8, "1, 6 and 7");
        vm.assertTrue(record.faultUnits == 4 && record.faultedFrom == 0, "the gap became units");
        endBy(20);
        market.closeDeal(_terms);
        expectMoney(3, 4e6, false);
    }

    function test_Fault_againBeforeSettlementWidensTheGap() external {
        prove(1, 1);
        vm.warp(startOf(2));
        fault(_terms);
        recover(3);
        prove(4, 1);
        fault(_terms);
        IDealMarket.Deal memory record = market.getDeal(_deal);
        vm.assertTrue(record.faultedFrom == 2 && record.faultedSince == 5, "from the first, since the second");
        vm.assertEq(record.end, 19, "fourteen from the second");
        recover(6);
        prove(7, 1);
        endBy(20);
        market.settle(_deal);
        vm.assertEq(market.getDeal(_deal).proven, 2, "1 and 7; 4 is inside the widened gap");
        market.closeDeal(_terms);
        expectMoney(2, 5e6, false);
    }

    /// @notice Declared for the next period and recovered in this one: nothing happened, and a later fault is one of its
    /// own.
    function test_Fault_thatNeverBeganLeavesNoGap() external {
        prove(1, 1);
        fault(_terms);
        vm.assertEq(market.getDeal(_deal).faultedSince, 2, "from the next period");
        recover(1);
        IDealMarket.Deal memory record = market.getDeal(_deal);
        vm.assertTrue(!record.faulted && record.faultedFrom == 0 && record.recoveredAt == 0, "no gap");
        for (uint64 p = 2; p <= 4; p++) {
            prove(p, 1);
        }
        fault(_terms);
        vm.assertEq(market.getDeal(_deal).faultedFrom, 5, "only from the second");
        recover(6);
        prove(7, 1);
        endBy(20);
        market.closeDeal(_terms);
        expectMoney(5, 2e6, false);
    }

    /// @notice Nor does it widen the gap that an earlier fault left.
    function test_Fault_thatNeverBeganWidensNoGap() external {
        prove(1, 1);
        vm.warp(startOf(2));
        fault(_terms);
        recover(3);
        for (uint64 p = 4; p <= 5; p++) {
            prove(p, 1);
        }
        fault(_terms);
        vm.assertEq(market.getDeal(_deal).recoveredAt, 0, "faulty again");
        recover(5);
        IDealMarket.Deal memory record = market.getDeal(_deal);
        vm.assertTrue(record.faultedFrom == 2 && record.recoveredAt == 4, "the gap of the first");
        prove(6, 1);
        finalise(6);
        market.settle(_deal);
        record = market.getDeal(_deal);
        vm.assertTrue(record.proven == 4 && record.faultUnits == 2, "1, 4, 5 and 6; 2 and 3 are units");
        endBy(20);
        market.closeDeal(_terms);
        expectMoney(4, 2e6, false);
    }

    /// @notice While a fault lasts nothing of the gap that it widened is settled.
    function test_Fault_thatLastsHoldsTheGapItWidened() external {
        prove(1, 1);
        vm.warp(startOf(2));
        fault(_terms);
        recover(3);
        prove(4, 1);
        fault(_terms);
        finalise(8);
        market.settle(_deal);
        IDealMarket.Deal memory record = market.getDeal(_deal);
        vm.assertTrue(record.settledThrough == 2 && record.faultUnits == 0, "it stops before the gap");
        uint64 back = period() + 1;
        recover(back);
        finalise(back);
        market.settle(_deal);
        vm.assertEq(market.getDeal(_deal).faultUnits, back + 1 - 2, "from the first to the last");
    }

    function test_Fault_ofFourteenPeriodsLosesTheDeal() external {
        prove(1, 1);
        vm.warp(startOf(2));
        fault(_terms);
        vm.warp(startOf(15));
        vm.assertTrue(market.getDeal(_deal).state == IDealMarket.DealState.Faulty, "still time");
        vm.warp(startOf(16));
        IDealMarket.Deal memory record = market.getDeal(_deal);
        vm.assertTrue(record.lost && record.end == 16, "lost");
        vm.expectPartialRevert(IDealMarket.MarketDealEnded.selector);
        vm.prank(operator);
        market.recoverDeal(_terms, 0, "", new bytes[](5));
        finalise(15);
        market.closeDeal(_terms);
        expectMoney(1, 0, true);
    }

    function test_Recover_revertsForOthersWrongLeavesAndSoundDeals() external {
        bytes[] memory none_ = new bytes[](5);
        vm.expectPartialRevert(IDealMarket.MarketDealNotFaulted.selector);
        vm.prank(operator);
        market.recoverDeal(_terms, 0, "", none_);
        vm.warp(startOf(2));
        fault(_terms);
        vm.expectPartialRevert(IDealMarket.MarketCallerNotOperator.selector);
        market.recoverDeal(_terms, 0, "", none_);
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsSeedMissing.selector, 2));
        vm.prank(operator);
        market.recoverDeal(_terms, 0, "", none_);
        seed(2);
        bytes[] memory openings = recoveryOf(_terms, 2, 1);
        vm.expectRevert(abi.encodeWithSelector(IDealMarket.MarketRecoveryCount.selector, 5, 4));
        vm.prank(operator);
        market.recoverDeal(_terms, 0, "", new bytes[](4));
        openings[3][5] ^= 0x20;
        vm.expectRevert(abi.encodeWithSelector(IDealMarket.MarketRecoveryInvalid.selector, 3));
        vm.prank(operator);
        market.recoverDeal(_terms, 0, "", openings);
        openings[3] = "";
        vm.expectRevert(abi.encodeWithSelector(IDealMarket.MarketRecoveryInvalid.selector, 3));
        vm.prank(operator);
        market.recoverDeal(_terms, 0, "", openings);
    }

    // Notice, consent, top-up

    function test_Resign_endsAfterTheNotice() external {
        vm.warp(startOf(2));
        vm.expectPartialRevert(IDealMarket.MarketCallerNotOperator.selector);
        market.resignDeal(_terms);
        vm.expectEmit();
        emit IDealMarket.DealTerminated(_deal, provider, 6);
        vm.prank(operator);
        market.resignDeal(_terms);
        for (uint64 p = 3; p <= 6; p++) {
            prove(p, 1);
        }
        finalise(5);
        market.closeDeal(_terms);
        expectMoney(3, 0, false);
    }

    function test_Consent_endsAtOnce() external {
        prove(1, 1);
        bytes32 digest = market.consentOf(_deal);
        bytes memory a = signed(CLIENT_KEY, digest);
        bytes memory b = signed(OPERATOR_KEY, digest);
        vm.expectPartialRevert(IDealMarket.MarketOperatorSignatureInvalid.selector);
        market.closeByConsent(_terms, b, a);
        vm.expectPartialRevert(IDealMarket.MarketClientSignatureInvalid.selector);
        market.closeByConsent(_terms, b, b);
        market.closeByConsent(_terms, a, b);
        vm.assertEq(market.getDeal(_deal).end, 2, "with the present period");
        finalise(1);
        market.closeDeal(_terms);
        expectMoney(1, 0, false);
        vm.expectPartialRevert(IDealMarket.MarketDealEnded.selector);
        market.closeByConsent(_terms, a, b);
    }

    function test_TopUp_prolongsUpToTheTerm() external {
        DealTerms memory terms = termsOf(2, 1);
        (terms.periods, terms.deposit) = (10, 4e6);
        bytes32 deal = open(terms);
        vm.assertEq(market.getDeal(deal).end, 5, "four periods");
        vm.expectRevert(abi.encodeWithSelector(IDealMarket.MarketTopUpTooLarge.selector, 6e6, 6e6 + 1));
        vm.prank(client);
        market.topUp(terms, 6e6 + 1);
        uint256 free = balance(client);
        vm.expectEmit();
        emit IDealMarket.DealToppedUp(deal, provider, client, 2.5e6, 7);
        vm.prank(client);
        market.topUp(terms, 2.5e6);
        vm.assertEq(balance(client), free - 2.5e6, "taken");
        vm.assertEq(market.escrowOf(terms), 6.5e6, "held");
        vm.prank(provider);
        market.topUp(terms, 3.5e6);
        vm.assertEq(market.getDeal(deal).end, 11, "the whole term");
        vm.prank(client);
        market.terminateDeal(terms);
        vm.expectRevert(abi.encodeWithSelector(IDealMarket.MarketNoticeGiven.selector, deal));
        vm.prank(client);
        market.topUp(terms, 1);
        finalise(10);
        market.closeDeal(terms);
        vm.assertEq(balance(client), free + 4e6 + 3.5e6, "everything unspent is the client's");
        vm.expectPartialRevert(IDealMarket.MarketDealEnded.selector);
        vm.prank(client);
        market.topUp(terms, 1);
    }

    // Whose earnings

    function test_Beneficiary_getsWhatDealsEarn() external {
        address cold = vm.addr(0xc01d);
        IProviderRegistry.Settings memory mine = settings();
        mine.beneficiary = cold;
        vm.prank(provider);
        registry.update(mine);
        uint256 free = balance(provider);
        prove(1, 1);
        finalise(1);
        market.settle(_deal);
        vm.assertEq(balance(provider), free, "not the owner's");
        vm.assertEq(balance(cold), 0, "not yet");
        vm.expectRevert();
        vm.prank(provider);
        vault.withdraw(address(token), free + 1, provider);
        vault.claim(address(token), provider);
        vm.assertEq(balance(cold), 0.95e6, "the beneficiary's");
        vault.claim(address(token), provider);
        vm.assertEq(balance(cold), 0.95e6, "once");
        vm.prank(cold);
        vault.withdraw(address(token), 0.95e6, cold);
    }

    /// @notice Where the money of the deal went, all of it.
    function expectMoney(uint256 proven, uint256 charge, bool lost) private view {
        uint256 paid = proven * 1e6;
        uint256 seized = lost ? 90e6 : charge;
        uint256 part = lost ? 50e6 : charge / 2;
        vm.assertEq(balance(client), START_BALANCE - paid + part, "client");
        vm.assertEq(balance(provider), START_BALANCE + paid - paid / 20 - seized, "provider");
        vm.assertEq(vault.feesAvailable(address(token)), paid / 20 + seized - part, "fee account");
        vm.assertEq(
            vault.heldOf(address(token)),
            vault.feesAvailable(address(token)) + market.earnedOf(0, provider),
            "nothing stays behind"
        );
    }

    function recover(uint64 of_) private {
        seed(of_);
        bytes[] memory openings = recoveryOf(_terms, of_, 1);
        bytes memory path = slots.path(0);
        vm.prank(operator);
        market.recoverDeal(_terms, 0, path, openings);
        slots.put(0, _deal, _terms.root, (_terms.length + 1023) / 1024);
    }

    /// @notice The client ends the deal in a period, and everything is final.
    function endBy(uint64 of_) private {
        vm.warp(startOf(of_));
        vm.prank(client);
        market.terminateDeal(_terms);
        finalise(of_ + 3);
    }

    function refuseTermination(uint64[] memory list) private {
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsTerminationInvalid.selector, provider));
        proofs.terminateProvider(provider, list);
    }

    function range(uint64 from, uint64 count) private pure returns (uint64[] memory list) {
        list = new uint64[](count);
        for (uint64 i = 0; i < count; i++) {
            list[i] = from + i;
        }
    }

    function balance(address owner) private view returns (uint256) {
        return vault.balanceOf(address(token), owner);
    }
}
