// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {AnswerCheck} from "../src/libraries/AnswerCheck.sol";
import {Bundle} from "../src/libraries/Bundle.sol";
import {Challenge} from "../src/libraries/Challenge.sol";
import {PayloadTree} from "./support/PayloadTree.sol";
import {SlotReference} from "./support/SlotReference.sol";
import {VectorFile} from "./support/VectorFile.sol";

contract BundleTest is VectorFile {
    bytes32 private constant BASE = keccak256("base");
    uint64 private constant COUNT = 480;

    /// @notice An opening before it is packed.
    struct Opening {
        uint64 index;
        uint64 count;
        bytes answer;
        bytes path;
    }

    SlotReference private _slots;

    function setUp() external {
        _slots = new SlotReference();
        for (uint256 i = 0; i < 5; i++) {
            uint64 leaves = uint64(3 * i + 2);
            if (i != 1) _slots.put(i, deal(i), PayloadTree.root(bytes32(i), leaves), leaves);
            else _slots.put(i, 0, 0, 0);
        }
    }

    function test_Vectors_bundles() external {
        uint256 count = open("bundles");
        uint256 refused;
        for (uint256 i = 0; i < count; i++) {
            next();
            bytes32 base = Challenge.challengeBase(
                number("chainId"),
                account("proofs"),
                account("provider"),
                uint64(number("period")),
                word("seed")
            );
            Bundle.Committed memory committed = Bundle.Committed(
                word("root"), base, word("treeRoot"), uint64(number("treeWeight")), uint8(number("treeDepth"))
            );
            Bundle.Question memory asked =
                Bundle.Question(Bundle.Class(number("class")), word("deal"), uint32(number("i")));
            Opening memory opening =
                Opening(uint64(number("index")), uint64(number("count")), data("answer"), data("path"));
            bool accepted = accepts(committed, asked, opening);
            vm.assertTrue(accepted == flag("valid"), _case);
            if (!accepted) refused++;
        }
        vm.assertGe(refused, 50, "spoilt entries were among them");
    }

    function test_Verify_acceptsEveryDealAndNumber() external view {
        for (uint256 rank = 0; rank < 4; rank++) {
            for (uint32 i = 0; i < 5; i++) {
                (Bundle.Committed memory committed, Opening memory opening) = built(rank, i);
                this.verify(committed, question(rank, i), opening);
            }
        }
    }

    /// @notice What was committed for one deal or number serves no other, wherever it is said to stand.
    function test_Verify_revertsForEveryOtherDealAndNumber() external {
        (Bundle.Committed memory committed, Opening memory opening) = built(2, 1);
        for (uint256 rank = 0; rank < 4; rank++) {
            for (uint32 i = 0; i < 5; i++) {
                if (rank == 2 && i == 1) continue;
                refuse(committed, question(rank, i), opening);
                Opening memory moved = opening;
                moved.index = uint64(460 + 5 * rank + i);
                refuse(committed, question(rank, i), moved);
                moved.index = 471;
            }
        }
    }

    /// @notice A bundle may hold anything: what counts is that the right answer was in it.
    function test_Verify_revertsForARightAnswerCommittedForAnotherDeal() external {
        Opening memory opening = openingOf(0, 0, answerFor(3, 0));
        Bundle.Committed memory committed = commit(question(0, 0), opening);
        vm.expectRevert(abi.encodeWithSelector(Bundle.BundleDeal.selector, deal(0), deal(4)));
        this.verify(committed, question(0, 0), opening);
    }

    function test_Verify_revertsForAGlobalQuestionWithADeal() external {
        Opening memory opening = openingOf(0, 0, answerFor(0, 0));
        opening.index = 7;
        Bundle.Question memory named = Bundle.Question(Bundle.Class.GLOBAL, deal(0), 7);
        refuse(commit(named, opening), named, opening);
    }

    function test_Verify_revertsWithoutWeight() external {
        Opening memory opening = openingOf(0, 0, answerFor(0, 0));
        opening.index = 7;
        Bundle.Question memory asked = Bundle.Question(Bundle.Class.GLOBAL, 0, 7);
        Bundle.Committed memory committed = commit(asked, opening);
        committed.weight = 0;
        vm.expectRevert(Bundle.BundleWithoutWeight.selector);
        this.verify(committed, asked, opening);
    }

    /// @notice Answers too short for a head, or of a deal without leaves, committed in all form.
    function test_Verify_revertsForAnswersWithoutAHeadOrLeaves() external {
        bytes memory good = answerFor(0, 0);
        for (uint256 length = 0; length <= 77 + 3 * 40; length += 49) {
            bytes memory head = new bytes(length);
            for (uint256 i = 0; i < length; i++) {
                head[i] = good[i];
            }
            Opening memory short = openingOf(0, 0, head);
            Bundle.Committed memory shortly = commit(question(0, 0), short);
            vm.expectPartialRevert(AnswerCheck.AnswerLength.selector);
            this.verify(shortly, question(0, 0), short);
        }
        for (uint256 i = 65; i < 73; i++) {
            good[i] = 0;
        }
        Opening memory empty = openingOf(0, 0, good);
        Bundle.Committed memory committed = commit(question(0, 0), empty);
        vm.expectPartialRevert(AnswerCheck.AnswerLeaves.selector);
        this.verify(committed, question(0, 0), empty);
    }

    /// @notice Any byte of path, answer, root, base or tree counts.
    function testFuzz_Verify_revertsForAnyChange(uint256 place, uint8 change, uint256 rank, uint32 i)
        external
    {
        vm.assume(change != 0);
        rank %= 4;
        i %= 5;
        (Bundle.Committed memory committed, Opening memory opening) = built(rank, i);
        opening.path[place % opening.path.length] ^= bytes1(change);
        refuse(committed, question(rank, i), opening);
        opening.path[place % opening.path.length] ^= bytes1(change);
        opening.answer[place % opening.answer.length] ^= bytes1(change);
        refuse(committed, question(rank, i), opening);
        // The same bytes committed by a provider that made them up.
        refuse(commit(question(rank, i), opening), question(rank, i), opening);
        opening.answer[place % opening.answer.length] ^= bytes1(change);
        bytes32 flip = bytes32(uint256(change) << (8 * (place % 32)));
        committed.root ^= flip;
        refuse(committed, question(rank, i), opening);
        committed.root ^= flip;
        committed.base ^= flip;
        refuse(committed, question(rank, i), opening);
        committed.base ^= flip;
        committed.treeRoot ^= flip;
        refuse(committed, question(rank, i), opening);
        committed.treeRoot ^= flip;
        this.verify(committed, question(rank, i), opening);
    }

    function testFuzz_Verify_revertsForAnyOtherIndexOrCount(uint64 index, uint64 count, uint256 rank)
        external
    {
        rank %= 4;
        (Bundle.Committed memory committed, Opening memory opening) = built(rank, 2);
        vm.assume(index != opening.index && count != COUNT);
        uint64 honest = opening.index;
        opening.index = index;
        refuse(committed, question(rank, 2), opening);
        opening.index = honest;
        opening.count = count;
        refuse(committed, question(rank, 2), opening);
        opening.count = 460 + 5 * (count % 1000);
        if (opening.count != COUNT) refuse(committed, question(rank, 2), opening);
    }

    function verify(Bundle.Committed memory committed, Bundle.Question memory asked, Opening calldata opening)
        external
        view
    {
        this.verifyPacked(
            committed, asked, abi.encodePacked(opening.index, opening.count, opening.path, opening.answer)
        );
    }

    function verifyPacked(
        Bundle.Committed memory committed,
        Bundle.Question memory asked,
        bytes calldata opening
    ) external view {
        Bundle.verify(committed, asked, opening);
    }

    function climb(bytes32 entry, uint256 index, bytes calldata path) external pure returns (bytes32) {
        return Bundle.climb(entry, index, path);
    }

    function accepts(Bundle.Committed memory committed, Bundle.Question memory asked, Opening memory opening)
        private
        view
        returns (bool accepted)
    {
        try this.verify(committed, asked, opening) {
            accepted = true;
        } catch {}
    }

    function refuse(Bundle.Committed memory committed, Bundle.Question memory asked, Opening memory opening)
        private
    {
        vm.expectRevert();
        this.verify(committed, asked, opening);
    }

    function deal(uint256 slot) private pure returns (bytes32) {
        return keccak256(abi.encode("deal", slot));
    }

    /// @notice Slot 1 is empty: the deals of rank 0 to 3 are in slots 0, 2, 3, 4.
    function slotOf(uint256 rank) private pure returns (uint256) {
        return rank == 0 ? 0 : rank + 1;
    }

    function question(uint256 rank, uint32 i) private pure returns (Bundle.Question memory) {
        return Bundle.Question(Bundle.Class.DEAL, deal(slotOf(rank)), i);
    }

    function answerFor(uint256 rank, uint32 i) private view returns (bytes memory) {
        uint256 slot = slotOf(rank);
        SlotReference.Slot memory held = _slots.slotAt(slot);
        uint256 leaf = Challenge.dealChallenge(BASE, held.deal, i, held.leaves);
        return abi.encodePacked(
            abi.encodePacked(held.deal, uint8(1), held.root, held.leaves, uint32(slot), _slots.path(slot)),
            PayloadTree.opening(bytes32(slot), held.leaves, leaf)
        );
    }

    /// @notice Nine siblings stand for the rest of a bundle of 480 entries.
    function openingOf(uint256 rank, uint32 i, bytes memory answer) private pure returns (Opening memory) {
        bytes memory path;
        for (uint256 level = 0; level < 9; level++) {
            path = abi.encodePacked(path, keccak256(abi.encode("sibling", level)));
        }
        return Opening(uint64(460 + 5 * rank + i), COUNT, answer, path);
    }

    function commit(Bundle.Question memory asked, Opening memory opening)
        private
        view
        returns (Bundle.Committed memory)
    {
        bytes32 entry = Bundle.entryHash(asked, opening.index, keccak256(opening.answer));
        bytes32 top = this.climb(entry, opening.index, opening.path);
        (bytes32 treeRoot, uint64 weight) = _slots.root();
        return Bundle.Committed(Bundle.rootOf(BASE, opening.count, top), BASE, treeRoot, weight, 3);
    }

    function built(uint256 rank, uint32 i)
        private
        view
        returns (Bundle.Committed memory committed, Opening memory opening)
    {
        opening = openingOf(rank, i, answerFor(rank, i));
        committed = commit(question(rank, i), opening);
    }
}
