// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IDisputes} from "../src/interfaces/IDisputes.sol";
import {IProofLedger} from "../src/interfaces/IProofLedger.sol";
import {IProviderRegistry} from "../src/interfaces/IProviderRegistry.sol";
import {Bundle} from "../src/libraries/Bundle.sol";
import {DealTerms} from "../src/types/DealTerms.sol";
import {Bundles} from "./support/Bundles.sol";

/// @notice Committed periods and their audits.
contract CommitTest is Bundles {
    bytes32 private constant ROOT = keccak256("any bundle");

    function setUp() public override {
        super.setUp();
        open(termsOf(1, 5));
    }

    function test_Commit_marksThePeriod() external {
        seed(1);
        vm.expectEmit();
        emit IProofLedger.PeriodCommitted(provider, 1, ROOT);
        put(1, ROOT);
        vm.assertTrue(proofs.isProven(provider, 1), "marked");
        vm.assertEq(proofs.committedOf(provider, 1).root, ROOT, "kept");
        vm.assertEq(proofs.finalThrough(provider), 0, "not final");
        finalise(1);
        vm.assertEq(proofs.finalThrough(provider), 1, "nor later: the first period owes an audit");
    }

    function test_Commit_revertsForStrangersBadRootsAndTheSecondTime() external {
        seed(1);
        vm.expectRevert(
            abi.encodeWithSelector(IProofLedger.ProofsCallerNotOperator.selector, address(0), provider)
        );
        vm.prank(provider);
        proofs.commitPeriod(1, ROOT);
        for (uint256 bad = 0; bad < 2; bad++) {
            vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsBundleInvalid.selector, bytes32(bad)));
            put(1, bytes32(bad));
        }
        Book memory book = commitFirst(1, 1);
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsAlreadyProven.selector, 1));
        put(1, rootOf(book));
    }

    function test_Commit_revertsOutsideTheWindowAndWithoutASeed() external {
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsPeriodNotStarted.selector, 1, startOf(1)));
        put(1, ROOT);
        vm.warp(startOf(1));
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsSeedMissing.selector, 1));
        put(1, ROOT);
        seed(1);
        vm.warp(startOf(1) + WINDOW);
        vm.expectRevert(
            abi.encodeWithSelector(IProofLedger.ProofsWindowClosed.selector, 1, startOf(1) + WINDOW)
        );
        put(1, ROOT);
        vm.warp(startOf(1) + WINDOW - 1);
        put(1, ROOT);
    }

    function test_Commit_followsTheOperatorOfTheRegistry() external {
        address next = vm.addr(0x5ec1);
        vm.prank(provider);
        registry.update(settingsFor(next));
        vm.assertEq(proofs.providerOf(operator), address(0), "no more");
        seed(1);
        vm.expectPartialRevert(IProofLedger.ProofsCallerNotOperator.selector);
        put(1, ROOT);
        vm.prank(next);
        proofs.commitPeriod(1, ROOT);
        vm.assertTrue(proofs.isProven(provider, 1), "by the new one");
    }

    /// @notice The first period and the first after a gap must be shown; others not, unless chance says so.
    function test_Audit_isOwedForTheFirstPeriodAndAfterAGap() external {
        Book memory book = commit(1, 1);
        vm.assertTrue(standing().auditOwed, "the first");
        seed(2);
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsAuditOwed.selector, provider, 1));
        put(2, ROOT);
        bytes[] memory direct = answers(2, only(1));
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsAuditOwed.selector, provider, 1));
        vm.prank(operator);
        proofs.provePeriod(provider, 2, direct);
        vm.expectEmit();
        emit IProofLedger.AuditAnswered(provider, 1);
        proofs.answerAudit(provider, auditOf(book));
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsAuditNotOwed.selector, provider));
        proofs.answerAudit(provider, new bytes[](5));
        put(2, ROOT);
        vm.assertTrue(!standing().auditOwed, "period 2 follows a marked one");
        // Period 3 is void, 4 follows nothing.
        commit(4, 1);
        vm.assertTrue(standing().auditOwed, "after a gap");
    }

    function test_Audit_endsWithDirectMode() external {
        prove(1, 1);
        vm.assertTrue(!standing().auditOwed, "shown already");
        commit(2, 1);
        vm.assertTrue(!standing().auditOwed, "period 2 follows");
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsNotCommitted.selector, provider, 1));
        proofs.committedOf(provider, 1);
    }

    /// @notice Chance is keccak256(domain | seed of the next period | provider | period) mod 30.
    function test_Audit_isDrawnByTheSeedOfTheNextPeriod() external {
        commitFirst(1, 1);
        uint256 drawn;
        for (uint64 p = 2; p < 90; p++) {
            seed(p);
            bytes32 domain = keccak256("holdfast/audit/v1");
            bytes32 hash = keccak256(abi.encodePacked(domain, proofs.seedOf(p), provider, p - 1));
            bool owed = uint256(hash) % AUDIT_CHANCE == 0 && p > 2;
            vm.assertTrue(standing().auditOwed == owed, "as drawn");
            if (owed) {
                drawn++;
                vm.expectRevert(
                    abi.encodeWithSelector(IProofLedger.ProofsAuditOwed.selector, provider, p - 1)
                );
                put(p, ROOT);
                this.answerFor(p - 1);
            }
            this.commitTo(p);
        }
        vm.assertTrue(drawn > 0 && drawn < 12, "about one in thirty");
    }

    /// @dev Calls of their own, so that their memory is given back.
    function answerFor(uint64 of_) external {
        proofs.answerAudit(provider, auditOf(bookOf(of_, only(1))));
    }

    function commitTo(uint64 of_) external {
        put(of_, rootOf(bookOf(of_, only(1))));
    }

    function test_Audit_revertsForMadeUpOrOtherAnswers() external {
        Book memory book = commit(1, 1);
        bytes[] memory openings = auditOf(book);
        bytes[] memory few = new bytes[](4);
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsAnswerCount.selector, 5, 4));
        proofs.answerAudit(provider, few);
        (openings[1], openings[2]) = (openings[2], openings[1]);
        vm.expectPartialRevert(Bundle.BundlePlace.selector);
        proofs.answerAudit(provider, openings);
        // An entry that was not committed.
        book.answers[3] = book.answers[2];
        enter(book, globalQuestion(3), 3);
        openings = auditOf(book);
        vm.expectPartialRevert(Bundle.BundleMismatch.selector);
        proofs.answerAudit(provider, openings);
    }

    /// @notice What a provider commits instead of answers it cannot make does not pass.
    function test_Audit_revertsForACommittedLie() external {
        seed(1);
        Book memory book = bookOf(1, only(1));
        book.answers[0][100] ^= 0x01;
        enter(book, globalQuestion(0), 0);
        put(1, rootOf(book));
        bytes[] memory openings = auditOf(book);
        vm.expectRevert();
        proofs.answerAudit(provider, openings);
        book.answers[0] = "";
        enter(book, globalQuestion(0), 0);
        openings = auditOf(book);
        vm.expectRevert();
        proofs.answerAudit(provider, openings);
    }

    function test_Audit_lateCostsStakeAndThePeriod() external {
        Book memory book = commit(1, 1);
        vm.warp(startOf(2));
        refuseSlash(2);
        seed(2);
        refuseSlash(2);
        vm.warp(startOf(3) - 1);
        refuseSlash(2);
        refuseSlash(3);
        vm.warp(startOf(3));
        uint256 free = vault.balanceOf(address(token), client);
        vm.expectEmit();
        emit IProofLedger.PeriodRevoked(provider, 1);
        vm.expectEmit();
        emit IProofLedger.PeriodMissed(provider, 1);
        vm.expectEmit();
        emit IDisputes.AuditLost(provider, 1, client, SLASH);
        vm.prank(client);
        disputes.slashAudit(provider, 2);
        vm.assertEq(vault.balanceOf(address(token), client), free + SLASH / 2, "half to the caller");
        vm.assertEq(vault.feesAvailable(address(token)), SLASH / 2, "half forfeited");
        vm.assertTrue(!proofs.isProven(provider, 1), "taken back");
        vm.assertTrue(proofs.isMissRecorded(provider, 1), "missed");
        vm.assertTrue(!standing().auditOwed && standing().auditNext, "the next one is owed");
        bytes[] memory openings = auditOf(book);
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsAuditNotOwed.selector, provider));
        proofs.answerAudit(provider, openings);
        commit(3, 1);
        vm.assertTrue(standing().auditOwed, "and it is");
    }

    /// @notice Late is not too late, until somebody slashes.
    function test_Audit_lateIsTakenUntilItIsSlashed() external {
        Book memory book = commit(1, 1);
        seed(2);
        vm.warp(startOf(5));
        vm.assertEq(proofs.finalThrough(provider), 1, "nothing is final");
        proofs.answerAudit(provider, auditOf(book));
        vm.assertEq(proofs.finalThrough(provider), 3, "everything is");
        (uint64 through, uint64 proven) = proofs.accrued(provider, 0, 10);
        vm.assertTrue(through == 3 && proven == 1, "and paid");
    }

    /// @notice A period in which nobody could post a seed gives no time.
    function test_Audit_waitsForAUsablePeriod() external {
        commit(1, 1);
        vm.warp(startOf(4));
        refuseSlash(2);
        refuseSlash(3);
        seed(5);
        vm.warp(startOf(6));
        disputes.slashAudit(provider, 5);
    }

    function test_Audit_expiresWhenSeedsStop() external {
        DealTerms memory terms = termsOf(2, 3);
        open(terms);
        commit(1, two(1, 2));
        vm.warp(startOf(31) - 1);
        refuseSlash(1);
        vm.warp(startOf(31));
        disputes.slashAudit(provider, 1);
        (, uint256 stake) = registry.getProvider(provider);
        vm.assertEq(stake, MINIMUM_STAKE, "nobody is slashed");
        market.closeDeal(terms);
    }

    /// @notice Waiting for thirty periods is no way out when one of them could be used.
    function test_Audit_doesNotExpireWhenItCouldBeSlashed() external {
        commit(1, 1);
        seed(30);
        vm.warp(startOf(31));
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsAuditNotExpired.selector, provider, 1, 30));
        disputes.slashAudit(provider, 1);
        disputes.slashAudit(provider, 30);
        (, uint256 stake) = registry.getProvider(provider);
        vm.assertEq(stake, MINIMUM_STAKE - SLASH, "slashed");
    }

    /// @notice A seed after the thirty periods does not undo that they were over.
    function test_Audit_expiresThoughSeedsCameBack() external {
        commit(1, 1);
        seed(31);
        disputes.slashAudit(provider, 1);
        commit(31, 1);
        vm.assertTrue(standing().auditOwed, "life goes on");
    }

    /// @notice A provider that cannot answer its audit is not stuck: it ends it itself, at the price of a slash of
    /// which half is its own, and goes on.
    function test_Audit_theProviderItselfCanEndIt() external {
        commit(1, 1);
        seed(2);
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsAuditOwed.selector, provider, 1));
        put(2, ROOT);
        seed(3);
        vm.prank(operator);
        disputes.slashAudit(provider, 2);
        Book memory book = commit(3, 1);
        proofs.answerAudit(provider, auditOf(book));
        seed(4);
        put(4, ROOT);
        finalise(4);
        (uint64 through, uint64 proven) = proofs.accrued(provider, 0, 9);
        vm.assertTrue(through == 5 && proven == 2, "3 and 4 are paid, 1 is lost");
        vm.assertEq(vault.balanceOf(address(token), operator), SLASH / 2, "half of the slash");
    }

    /// @notice Nor is one that gives up: it stops accepting, ends its audit, empties its tree and takes its stake.
    function test_Audit_aProviderThatOwesOneCanLeave() external {
        DealTerms memory terms = termsOf(1, 5);
        commit(1, 1);
        seed(2);
        IProviderRegistry.Settings memory mine = settings();
        mine.accepting = false;
        vm.prank(provider);
        registry.update(mine);
        vm.warp(startOf(11));
        releaseSlot(terms);
        vm.expectPartialRevert(IProviderRegistry.RegistryStakeLocked.selector);
        vm.prank(provider);
        registry.withdrawStake(MINIMUM_STAKE);
        vm.prank(provider);
        disputes.slashAudit(provider, 2);
        finalise(12);
        vm.prank(provider);
        registry.withdrawStake(MINIMUM_STAKE - SLASH);
    }

    function refuseSlash(uint64 usable_) private {
        vm.expectRevert(
            abi.encodeWithSelector(IProofLedger.ProofsAuditNotLate.selector, provider, 1, usable_)
        );
        disputes.slashAudit(provider, usable_);
    }
}
