// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IDealMarket} from "../src/interfaces/IDealMarket.sol";
import {IDisputes} from "../src/interfaces/IDisputes.sol";
import {IProofLedger} from "../src/interfaces/IProofLedger.sol";
import {AnswerCheck} from "../src/libraries/AnswerCheck.sol";
import {Bundle} from "../src/libraries/Bundle.sol";
import {DealTerms} from "../src/types/DealTerms.sol";
import {Place} from "../src/types/Place.sol";
import {Bundles} from "./support/Bundles.sol";

/// @notice Questions about committed periods: who may ask, what an answer brings, what none costs.
contract DisputesTest is Bundles {
    DealTerms private _terms;
    bytes32 private _deal;

    function setUp() public override {
        super.setUp();
        DealTerms memory terms = termsOf(1, 5);
        (terms.periods, terms.deposit) = (60, 60e6);
        _deal = open(terms);
        _terms = terms;
    }

    function test_Open_takesABondAndHoldsThePeriod() external {
        commitFirst(1, 1);
        uint256 free = balance(client);
        bytes32 id = disputes.idOf(provider, 1, globalQuestion(0));
        vm.expectEmit();
        emit IDisputes.DisputeOpened(id, provider, 1, Bundle.Class.GLOBAL, 0, 0, client, BOND);
        vm.assertEq(ask(1, 0), id, "id");
        vm.assertEq(balance(client), free - BOND, "bond");
        vm.assertEq(vault.bondedOf(address(token)), BOND, "held");
        vm.assertTrue(standing().openDisputes == 1 && standing().oldestDisputed == 1, "counted");
        IDisputes.Dispute memory dispute = disputes.disputeOf(id);
        vm.assertTrue(dispute.status == IDisputes.Status.Open && dispute.opener == client, "open");
        vm.assertTrue(dispute.bond == BOND && dispute.openedAt == now_(), "terms");
        finalise(3);
        vm.assertEq(proofs.finalThrough(provider), 1, "nothing from there on is final");
    }

    function test_Answer_bringsTheBondToTheProvider() external {
        Book memory book = commitFirst(1, 1);
        ask(1, 0);
        ask(1, 1);
        uint256 free = balance(client);
        uint256 earned = balance(provider);
        vm.assertEq(vault.bondedOf(address(token)), 3 * BOND, "the second costs two");
        vm.expectEmit();
        emit IDisputes.DisputeAnswered(disputes.idOf(provider, 1, globalQuestion(1)), provider, 1);
        disputes.answerDispute(placeOf(1, globalQuestion(1)), openingOf(book, 1));
        vm.assertEq(balance(provider), earned + BOND, "one bond");
        vm.assertEq(vault.feesAvailable(address(token)), BOND, "the rest is forfeited");
        disputes.answerDispute(placeOf(1, globalQuestion(0)), openingOf(book, 0));
        vm.assertEq(balance(provider), earned + 2 * BOND, "and another");
        vm.assertEq(balance(client), free, "nothing comes back");
        vm.assertEq(vault.bondedOf(address(token)), 0, "all gone");
        finalise(1);
        vm.assertEq(proofs.finalThrough(provider), 2, "final when it would have been");
        vm.expectPartialRevert(IDisputes.DisputesNotOpen.selector);
        disputes.answerDispute(placeOf(1, globalQuestion(0)), openingOf(book, 0));
        vm.expectPartialRevert(IDisputes.DisputesExists.selector);
        ask(1, 0);
    }

    function test_Answer_ofADealIsCheckedAgainstTheTreeOfThePeriod() external {
        open(termsOf(2, 9));
        Book memory book = commit(1, two(1, 2));
        proofs.answerAudit(provider, auditOf(book));
        bytes memory first = membershipOf(0);
        bytes memory second = membershipOf(1);
        bytes32 other = firstWord(second);
        // Later changes of the tree do not matter.
        open(termsOf(3, 50));
        vm.expectRevert(abi.encodeWithSelector(IDisputes.DisputesNotMember.selector, _deal));
        ask(1, dealQuestion(_deal, 2), second);
        first[40] ^= 0x01;
        vm.expectPartialRevert(AnswerCheck.AnswerTreeMismatch.selector);
        ask(1, dealQuestion(_deal, 2), first);
        first[40] ^= 0x01;
        ask(1, dealQuestion(_deal, 2), first);
        ask(1, dealQuestion(other, 4), second);
        // Its own entry and no other.
        vm.expectPartialRevert(Bundle.BundlePlace.selector);
        disputes.answerDispute(placeOf(1, dealQuestion(_deal, 2)), openingOf(book, 463));
        vm.expectPartialRevert(IDisputes.DisputesNotOpen.selector);
        disputes.answerDispute(placeOf(1, dealQuestion(_deal, 2)), openingOf(book, 467));
        disputes.answerDispute(placeOf(1, dealQuestion(_deal, 2)), openingOf(book, 462));
        disputes.answerDispute(placeOf(1, dealQuestion(other, 4)), openingOf(book, 469));
    }

    function test_Open_revertsForQuestionsThatDoNotExist() external {
        commitFirst(1, 1);
        bytes memory head = membershipOf(0);
        refuse(globalQuestion(460), "");
        refuse(globalQuestion(1), head);
        refuse(Bundle.Question(Bundle.Class.GLOBAL, _deal, 1), "");
        refuse(dealQuestion(_deal, 5), head);
        vm.expectPartialRevert(AnswerCheck.AnswerLength.selector);
        ask(1, dealQuestion(_deal, 1), "");
    }

    function test_Open_revertsForPeriodsThatCannotBeDisputed() external {
        // Not marked, direct, without a bond, too late.
        bytes memory not_ =
            abi.encodeWithSelector(IProofLedger.ProofsNotCommitted.selector, provider, uint64(1));
        vm.expectRevert(not_);
        ask(1, 0);
        prove(1, 1);
        vm.expectRevert(not_);
        ask(1, 0);
        commit(2, 1);
        vm.expectRevert();
        vm.prank(vm.addr(0x404));
        disputes.openDispute(provider, 2, globalQuestion(0), "");
        uint256 until = startOf(2) + WINDOW + DISPUTE_TIME - ANSWER_TIME;
        vm.warp(until + 1);
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsDisputeTooLate.selector, 2, until));
        ask(2, 0);
        vm.warp(until);
        ask(2, 0);
    }

    function test_Open_isCappedPerProvider() external {
        commitFirst(1, 1);
        for (uint32 i = 0; i < 64; i++) {
            ask(1, i);
        }
        vm.assertEq(vault.bondedOf(address(token)), BOND * 65 * 32, "1 + 2 + ... + 64");
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsDisputesFull.selector, provider, 64));
        ask(1, 64);
    }

    /// @notice An entry that is absent, made up, yesterday's, or another provider's does not answer.
    function test_Answer_revertsForAnythingElse() external {
        commitFirst(1, 1);
        seed(2);
        Book memory book = bookOf(2, only(1));
        lose(book, dealQuestion(_deal, 0), 460);
        put(2, rootOf(book));
        ask(2, dealQuestion(_deal, 0), membershipOf(0));
        Place place = placeOf(2, dealQuestion(_deal, 0));
        vm.expectRevert();
        disputes.answerDispute(place, openingOf(book, 460));
        Book memory right = bookOf(2, only(1));
        vm.expectPartialRevert(Bundle.BundleMismatch.selector);
        disputes.answerDispute(place, openingOf(right, 460));
        vm.expectPartialRevert(IDisputes.DisputesNotOpen.selector);
        disputes.answerDispute(placeOf(1, dealQuestion(_deal, 0)), openingOf(right, 460));
        vm.expectPartialRevert(IDisputes.DisputesNotOpen.selector);
        disputes.answerDispute(placeFor(client, 2, dealQuestion(_deal, 0)), openingOf(right, 460));
    }

    function test_Timeout_costsStakeThePeriodAndShowsTheDealLost() external {
        askAboutALostEntry();
        seed(3);
        vm.warp(startOf(3) + SEED_DELAY + 3 + ANSWER_TIME);
        uint256 free = balance(client);
        vm.expectEmit();
        emit IProofLedger.PeriodRevoked(provider, 2);
        vm.expectEmit();
        emit IDisputes.DisputeLost(
            disputes.idOf(provider, 2, dealQuestion(_deal, 0)), provider, 2, client, SLASH
        );
        vm.expectEmit();
        emit IDisputes.DealShownLost(_deal, provider, 2);
        slash(usable(2));
        vm.assertEq(balance(client), free + BOND + SLASH / 2, "bond and half of the slash");
        vm.assertEq(vault.feesAvailable(address(token)), SLASH / 2, "the other half");
        (, uint256 stake) = registry.getProvider(provider);
        vm.assertEq(stake, MINIMUM_STAKE - SLASH, "from the stake");
        (, bool accepting) = registry.operatorOf(provider);
        vm.assertTrue(!accepting, "below the minimum: no new deals");
        vm.assertTrue(proofs.isMissRecorded(provider, 2) && !proofs.isProven(provider, 2), "missed");
        vm.assertTrue(standing().auditNext && standing().openDisputes == 0, "the next commit owes an audit");
        finalise(3);
        (uint64 through, uint64 proven) = proofs.accrued(provider, 1, 10);
        vm.assertTrue(through == 4 && proven == 1, "only period 1 is paid");
    }

    /// @notice Anybody declares the fault of a deal that is shown lost, until it is recovered.
    function test_Timeout_letsAnybodyDeclareTheFault() external {
        bytes memory path = slots.path(0);
        vm.expectPartialRevert(IDealMarket.MarketCallerNotOperator.selector);
        market.declareFault(_terms, path);
        askAboutALostEntry();
        seed(3);
        vm.warp(startOf(4));
        slash(usable(2));
        market.declareFault(_terms, path);
        slots.clear(0);
        vm.assertTrue(market.getDeal(_deal).faulted, "faulty");
        seed(5);
        bytes[] memory openings = recoveryOf(_terms, 5, 1);
        path = slots.path(0);
        vm.prank(operator);
        market.recoverDeal(_terms, 0, path, openings);
        vm.assertTrue(!disputes.isShownLost(_deal), "forgotten");
        vm.expectPartialRevert(IDealMarket.MarketCallerNotOperator.selector);
        market.declareFault(_terms, path);
    }

    function test_Timeout_revertsWhileThereIsTime() external {
        askAboutALostEntry();
        uint256 opened = now_();
        seed(3);
        vm.warp(opened + ANSWER_TIME - 1);
        vm.expectPartialRevert(IDisputes.DisputesTooEarly.selector);
        slash(usable(2));
        vm.warp(opened + ANSWER_TIME);
        refuseUsable(usable(1), 1);
        refuseUsable(usable(3), 3);
        refuseUsable(usable(9), 9);
        uint64[] memory twice = new uint64[](2);
        (twice[0], twice[1]) = (2, 2);
        refuseUsable(twice, 0);
        vm.expectPartialRevert(IDisputes.DisputesTooEarly.selector);
        slash(none());
        slash(usable(2));
    }

    /// @notice Chain.md 3.4, dispute spam and stopped chains: while no seed can be posted the clock stands still.
    function test_Timeout_doesNotCountPeriodsWithoutASeed() external {
        commitFirst(1, 1);
        vm.warp(startOf(2));
        ask(1, 0);
        vm.warp(startOf(9));
        refuseUsable1(2);
        refuseUsable1(8);
        seed(9);
        refuseUsable1(9);
        vm.warp(startOf(10));
        disputes.slashTimeout(provider, 1, globalQuestion(0), usable(9));
        vm.assertTrue(!proofs.isProven(provider, 1), "taken back");
    }

    /// @notice What an old dispute is judged by stays: neither bundle nor tree leave the rings while it is open.
    function test_OldDispute_keepsItsBundleAndTree() external {
        Book memory book = commitFirst(1, 1);
        vm.warp(startOf(2));
        ask(1, 0);
        seed(8);
        put(8, rootOf(book));
        seed(9);
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsAuditOwed.selector, provider, 8));
        put(9, rootOf(book));
        DealTerms memory terms = termsOf(7, 1);
        bytes32 id = market.dealIdOf(terms);
        (bytes memory a, bytes memory b) = (signed(CLIENT_KEY, id), signed(OPERATOR_KEY, id));
        bytes memory path = slots.path(1);
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsDisputeOpen.selector, provider, 1));
        market.openDeal(terms, a, b, 1, path);
        disputes.answerDispute(placeOf(1, globalQuestion(0)), openingOf(book, 0));
        market.openDeal(terms, a, b, 1, path);
    }

    function test_OldDispute_stopsCommitmentsEightPeriodsLater() external {
        Book memory book = commitFirst(1, 1);
        vm.warp(startOf(2));
        ask(1, 0);
        seed(9);
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsDisputeOpen.selector, provider, 1));
        put(9, rootOf(book));
        disputes.answerDispute(placeOf(1, globalQuestion(0)), openingOf(book, 0));
        put(9, rootOf(book));
    }

    function test_Expiry_endsADisputeWhenSeedsStop() external {
        commitFirst(1, 1);
        uint256 free = balance(client);
        vm.warp(startOf(2));
        ask(1, 0);
        vm.warp(now_() + 30 * PERIOD - 1);
        vm.expectPartialRevert(IDisputes.DisputesTooEarly.selector);
        disputes.slashTimeout(provider, 1, globalQuestion(0), none());
        vm.warp(now_() + 1);
        disputes.slashTimeout(provider, 1, globalQuestion(0), none());
        vm.assertEq(balance(client), free, "the bond is back");
        (, uint256 stake) = registry.getProvider(provider);
        vm.assertEq(stake, MINIMUM_STAKE, "nobody is slashed");
        vm.assertTrue(!proofs.isProven(provider, 1), "and nothing is paid");
        vm.assertTrue(proofs.finalThrough(provider) > 1, "life goes on");
    }

    /// @notice A commitment is one promise: it is slashed once, whatever else was asked about it. The others get their
    /// bonds back, and what can be answered still is.
    function test_Timeout_slashesAPeriodOnce() external {
        Book memory book = commitFirst(1, 1);
        for (uint32 i = 2; i < 14; i++) {
            ask(1, i);
        }
        ask(1, dealQuestion(_deal, 1), membershipOf(0));
        seed(2);
        vm.warp(startOf(3));
        uint256 all = tokens();
        disputes.slashTimeout(provider, 1, globalQuestion(5), usable(2));
        uint256 free = balance(client);
        uint256 bonds = vault.bondedOf(address(token));
        for (uint32 i = 6; i < 14; i++) {
            vm.expectEmit();
            emit IDisputes.DisputeLost(disputes.idOf(provider, 1, globalQuestion(i)), provider, 1, client, 0);
            disputes.slashTimeout(provider, 1, globalQuestion(i), usable(2));
        }
        disputes.slashTimeout(provider, 1, dealQuestion(_deal, 1), usable(2));
        vm.assertTrue(disputes.isShownLost(_deal), "what is lost is shown all the same");
        (, uint256 stake) = registry.getProvider(provider);
        vm.assertEq(stake, MINIMUM_STAKE - SLASH, "one slash");
        vm.assertEq(balance(client) - free, bonds - vault.bondedOf(address(token)), "bonds and no more");
        for (uint32 i = 2; i < 5; i++) {
            disputes.answerDispute(placeOf(1, globalQuestion(i)), openingOf(book, i));
        }
        vm.assertEq(tokens(), all, "nothing appears or is lost");
        vm.assertEq(vault.bondedOf(address(token)), 0, "all moved");
        vm.assertEq(proofs.faultUnits(provider, 0, 30), 0, "one miss, and it is free");
    }

    /// @notice Nor is a period slashed twice when its audit was lost before.
    function test_Timeout_afterALostAuditTakesNoMore() external {
        commit(1, 1);
        ask(1, 7);
        seed(2);
        vm.warp(startOf(3));
        disputes.slashAudit(provider, 2);
        uint256 free = balance(client);
        disputes.slashTimeout(provider, 1, globalQuestion(7), usable(2));
        vm.assertEq(balance(client), free + BOND, "the bond");
        (, uint256 stake) = registry.getProvider(provider);
        vm.assertEq(stake, MINIMUM_STAKE - SLASH, "one slash");
    }

    /// @notice No more than the stake can go.
    function test_Slash_takesNoMoreThanTheStake() external {
        uint256 all = tokens();
        for (uint64 p = 1; p < 24; p += 2) {
            commit(p, 1);
            seed(p + 1);
            vm.warp(startOf(p + 2));
            disputes.slashAudit(provider, p + 1);
        }
        (, uint256 stake) = registry.getProvider(provider);
        vm.assertEq(stake, 0, "ten slashes, and two of nothing");
        vm.assertEq(vault.stakedOf(address(token)), 0, "all moved");
        vm.assertEq(tokens() + balance(address(this)), all, "nothing appears or is lost");
    }

    /// @notice Registry and ledger move for Disputes only.
    function test_Moves_revertForAnybodyElse() external {
        vm.expectPartialRevert(IProofLedger.ProofsCallerNotDisputes.selector);
        proofs.hold(provider, 1);
        vm.expectPartialRevert(IProofLedger.ProofsCallerNotDisputes.selector);
        proofs.release(provider, 1);
        vm.expectPartialRevert(IProofLedger.ProofsCallerNotDisputes.selector);
        proofs.revoke(provider, 1);
        vm.expectPartialRevert(IProofLedger.ProofsCallerNotDisputes.selector);
        proofs.failAudit(provider, 1);
        vm.expectPartialRevert(IProofLedger.ProofsCallerNotMarket.selector);
        proofs.forceAudit(provider);
        vm.expectPartialRevert(IProofLedger.ProofsCallerNotBeacon.selector);
        proofs.acceptSeed(1, bytes32("seed"));
        vm.expectPartialRevert(IProofLedger.ProofsCallerNotRegistry.selector);
        proofs.setOperator(provider, operator, client);
        vm.expectPartialRevert(IDisputes.DisputesCallerNotMarket.selector);
        disputes.clearLost(_deal);
        vm.expectRevert();
        registry.slash(provider, 1, client);
        vm.expectRevert();
        registry.retire(provider);
        vm.expectRevert();
        vault.slash(client, 1, 0);
        vm.expectRevert();
        vault.bond(client, 1);
        vm.expectRevert();
        vault.unbond(client, 1, 0);
    }

    /// @notice Waiting for thirty periods is no way out when the chain could be used for long enough.
    function test_Expiry_revertsWhenTheProviderHadItsTime() external {
        commitFirst(1, 1);
        vm.warp(startOf(2));
        ask(1, 0);
        seed(20);
        vm.warp(startOf(40));
        bytes32 id = disputes.idOf(provider, 1, globalQuestion(0));
        vm.expectRevert(abi.encodeWithSelector(IDisputes.DisputesNotExpired.selector, id, uint64(20)));
        disputes.slashTimeout(provider, 1, globalQuestion(0), none());
        disputes.slashTimeout(provider, 1, globalQuestion(0), usable(20));
        (, uint256 stake) = registry.getProvider(provider);
        vm.assertEq(stake, MINIMUM_STAKE - SLASH, "slashed");
    }

    /// @notice A period in which the dispute was opened counts, one after the thirty does not.
    function test_Expiry_looksAtThirtyPeriods() external {
        Book memory book = commitFirst(1, 1);
        vm.warp(startOf(2));
        ask(1, 0);
        seed(32);
        disputes.slashTimeout(provider, 1, globalQuestion(0), none());
        seed(34);
        put(34, rootOf(book));
        ask(34, 0);
        vm.warp(startOf(65));
        vm.expectPartialRevert(IDisputes.DisputesNotExpired.selector);
        disputes.slashTimeout(provider, 34, globalQuestion(0), none());
    }

    /// @notice Period 2 is committed with an absent entry, and the client asks for it.
    function askAboutALostEntry() private {
        commitFirst(1, 1);
        seed(2);
        Book memory book = bookOf(2, only(1));
        lose(book, dealQuestion(_deal, 0), 460);
        put(2, rootOf(book));
        ask(2, dealQuestion(_deal, 0), membershipOf(0));
    }

    function slash(uint64[] memory list) private {
        disputes.slashTimeout(provider, 2, dealQuestion(_deal, 0), list);
    }

    function refuseUsable(uint64[] memory list, uint64 named) private {
        vm.expectRevert(abi.encodeWithSelector(IDisputes.DisputesNotUsable.selector, 1, named));
        slash(list);
    }

    function refuseUsable1(uint64 of_) private {
        vm.expectRevert(abi.encodeWithSelector(IDisputes.DisputesNotUsable.selector, 1, of_));
        disputes.slashTimeout(provider, 1, globalQuestion(0), usable(of_));
    }

    function refuse(Bundle.Question memory question, bytes memory membership) private {
        vm.expectPartialRevert(IDisputes.DisputesQuestionInvalid.selector);
        ask(1, question, membership);
    }

    function balance(address owner) private view returns (uint256) {
        return vault.balanceOf(address(token), owner);
    }

    function tokens() private view returns (uint256) {
        return balance(client) + balance(provider) + vault.stakedOf(address(token))
            + vault.bondedOf(address(token)) + vault.feesAvailable(address(token));
    }

    function firstWord(bytes memory data) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(add(data, 32))
        }
    }
}
