// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IProofLedger} from "../src/interfaces/IProofLedger.sol";
import {DealTerms} from "../src/types/DealTerms.sol";
import {RuleParams} from "../src/types/RuleParams.sol";
import {Creator} from "./support/Creator.sol";
import {Network} from "./support/Network.sol";

contract ProofLedgerTest is Network {
    function test_Prove_marksThePeriod() external {
        open(termsOf(1, 5));
        seed(1);
        bytes[] memory list = answers(1, only(1));
        vm.assertEq(proofs.finalThrough(provider), 0, "open");
        vm.expectEmit();
        emit IProofLedger.PeriodProven(provider, 1);
        vm.prank(operator);
        proofs.provePeriod(provider, 1, list);
        vm.assertTrue(proofs.isProven(provider, 1), "proven");
        vm.assertEq(proofs.finalThrough(provider), 0, "not final");
        vm.assertEq(proofs.provenBetween(provider, 0, 10), 1, "one");
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsAlreadyProven.selector, 1));
        vm.prank(operator);
        proofs.provePeriod(provider, 1, list);
    }

    function test_Prove_revertsForAnybodyElse() external {
        open(termsOf(1, 5));
        seed(1);
        bytes[] memory list = answers(1, only(1));
        vm.expectRevert(
            abi.encodeWithSelector(IProofLedger.ProofsCallerNotOperator.selector, provider, provider)
        );
        vm.prank(provider);
        proofs.provePeriod(provider, 1, list);
    }

    /// @notice chain.md 6.4 row 4: a period is proven within its window and at no other time.
    function test_Row4_Prove_revertsOutsideTheWindow() external {
        open(termsOf(1, 5));
        seed(1);
        bytes[] memory list = answers(1, only(1));
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsPeriodNotStarted.selector, 2, startOf(2)));
        vm.prank(operator);
        proofs.provePeriod(provider, 2, list);
        vm.warp(startOf(1) + WINDOW);
        vm.expectRevert(
            abi.encodeWithSelector(IProofLedger.ProofsWindowClosed.selector, 1, startOf(1) + WINDOW)
        );
        vm.prank(operator);
        proofs.provePeriod(provider, 1, list);
        vm.warp(startOf(1) + WINDOW - 1);
        vm.prank(operator);
        proofs.provePeriod(provider, 1, list);
    }

    function test_Prove_revertsWithoutASeed() external {
        open(termsOf(1, 5));
        vm.warp(startOf(1) + 50);
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsSeedMissing.selector, 1));
        vm.prank(operator);
        proofs.provePeriod(provider, 1, new bytes[](5));
    }

    function test_Prove_revertsForAnotherNumberOfAnswers() external {
        open(termsOf(1, 5));
        seed(1);
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsAnswerCount.selector, 5, 4));
        vm.prank(operator);
        proofs.provePeriod(provider, 1, new bytes[](4));
    }

    function test_Prove_revertsForAnEmptyTree() external {
        seed(0);
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsTreeEmpty.selector, provider, 0));
        vm.prank(operator);
        proofs.provePeriod(provider, 0, new bytes[](5));
    }

    function test_Prove_revertsForAnswersOfAnotherPeriod() external {
        open(termsOf(1, 64));
        seed(1);
        bytes[] memory list = answers(1, only(1));
        seed(2);
        vm.expectRevert();
        vm.prank(operator);
        proofs.provePeriod(provider, 2, list);
    }

    function testFuzz_Prove_revertsForOneBadAnswer(uint256 which, uint256 index) external {
        open(termsOf(1, 5));
        seed(1);
        bytes[] memory list = answers(1, only(1));
        bytes memory bad = list[which % 5];
        bad[index % bad.length] ^= 0x10;
        vm.expectRevert();
        vm.prank(operator);
        proofs.provePeriod(provider, 1, list);
    }

    /// @notice chain.md 6.4 row 3: what enters or leaves after the period's start, seed known or not, does not
    /// move its challenges.
    function test_Row3_Prove_challengesTheTreeAtTheStart() external {
        DealTerms memory first = termsOf(1, 5);
        open(first);
        seed(1);
        bytes[] memory list = answers(1, only(1));
        bytes memory before = abi.encode(proofs.snapshotAt(provider, 1));
        DealTerms memory second = termsOf(2, 50);
        open(second);
        fault(first);
        vm.assertEq(abi.encode(proofs.snapshotAt(provider, 1)), before, "the same snapshot");
        vm.prank(operator);
        proofs.provePeriod(provider, 1, list);
        (IProofLedger.Snapshot memory tree,) = proofs.treeOf(provider);
        vm.assertEq(tree.weight, 50, "only the second");
        uint256[] memory nonces = new uint256[](2);
        (nonces[0], nonces[1]) = (1, 2);
        prove(2, nonces);
    }

    /// @notice chain.md 6.4 row 23: an answer is bound to its provider's tree and challenges.
    function test_Row23_Prove_revertsForAnotherProvidersAnswers() external {
        open(termsOf(1, 5));
        address otherOwner = vm.addr(0x5ec0);
        address otherOperator = vm.addr(0x5ec1);
        fund(otherOwner, MINIMUM_STAKE + 100e6);
        vm.startPrank(otherOwner);
        registry.register(settingsFor(otherOperator), MINIMUM_STAKE);
        vm.stopPrank();
        DealTerms memory terms = termsOf(9, 7);
        terms.provider = otherOwner;
        bytes32 id = market.dealIdOf(terms);
        (bytes memory a, bytes memory b) = (signed(CLIENT_KEY, id), signed(0x5ec1, id));
        market.openDeal(terms, a, b, 0, "");
        seed(1);
        bytes[] memory list = answers(1, only(1));
        vm.expectRevert();
        vm.prank(otherOperator);
        proofs.provePeriod(otherOwner, 1, list);
    }

    function test_Missed_needsASeedATreeAndNoProof() external {
        open(termsOf(1, 5));
        seed(0);
        prove(1, 1);
        seed(2);
        vm.assertTrue(!proofs.isMissed(provider, 2), "still open");
        vm.warp(startOf(4));
        vm.assertTrue(!proofs.isMissed(provider, 0), "nothing to prove");
        vm.assertTrue(!proofs.isMissed(provider, 1), "proven");
        vm.assertTrue(proofs.isMissed(provider, 2), "missed");
        vm.assertTrue(!proofs.isMissed(provider, 3), "void without a seed");
        vm.assertTrue(!proofs.isMissed(provider, 9), "not yet");
    }

    /// @notice The last eight periods can always be looked up, however often the tree changed.
    function test_Snapshot_keepsEightPeriods() external {
        bytes32[] memory roots = new bytes32[](20);
        for (uint64 p = 0; p < 20; p++) {
            vm.warp(startOf(p));
            (IProofLedger.Snapshot memory tree,) = proofs.treeOf(provider);
            roots[p] = tree.root;
            open(termsOf(100 + p, 1));
            open(termsOf(200 + p, 2));
            for (uint64 back = 0; back < 8 && back <= p; back++) {
                vm.assertEq(proofs.snapshotAt(provider, p - back).root, roots[p - back], "root");
            }
        }
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsSnapshotGone.selector, provider, 11));
        proofs.snapshotAt(provider, 11);
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsPeriodNotStarted.selector, 20, startOf(20)));
        proofs.snapshotAt(provider, 20);
        vm.warp(startOf(300));
        (IProofLedger.Snapshot memory last,) = proofs.treeOf(provider);
        vm.assertEq(proofs.snapshotAt(provider, 20).root, last.root, "unchanged since");
        vm.assertEq(proofs.snapshotAt(provider, 12).root, roots[12], "and the ring stays");
    }

    function test_Slots_revertForAnybodyButTheMarket() external {
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsCallerNotMarket.selector, address(this)));
        proofs.fillSlot(provider, 0, "", bytes32("deal"), 1, bytes32("root"), 1);
        vm.expectRevert(abi.encodeWithSelector(IProofLedger.ProofsCallerNotMarket.selector, address(this)));
        proofs.freeSlot(provider, 0, "", bytes32("deal"), 1, bytes32("root"), 1);
    }

    function test_Construct_revertsForRulesOutOfRange() external {
        Creator creator = new Creator();
        RuleParams[9] memory bad;
        for (uint256 i = 0; i < 9; i++) {
            bad[i] = rulesWith(5);
        }
        bad[0].directChallenges = 0;
        bad[1].directChallenges = 41;
        bad[2].auditChance = 0;
        bad[3].answerTime = 0;
        bad[4].answerTime = DISPUTE_TIME + 1;
        bad[5].disputeTime = 2 * PERIOD - WINDOW - 1;
        bad[6].disputeTime = 6 * PERIOD - WINDOW - ANSWER_TIME + 1;
        bad[7].disputeTime = type(uint64).max;
        (bad[8].disputeTime, bad[8].answerTime) = (type(uint64).max, type(uint64).max);
        for (uint256 i = 0; i < 9; i++) {
            bytes memory code = abi.encodePacked(
                vm.getCode("ProofLedger.sol"), abi.encode(registry, market, disputes, beacon, bad[i])
            );
            vm.expectRevert(IProofLedger.ProofsRulesInvalid.selector);
            creator.create(code);
        }
    }
}
