// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {Bundle} from "../../src/libraries/Bundle.sol";
import {Challenge} from "../../src/libraries/Challenge.sol";
import {Place} from "../../src/types/Place.sol";
import {DealTerms} from "../../src/types/DealTerms.sol";
import {IProofLedger} from "../../src/interfaces/IProofLedger.sol";
import {Network} from "./Network.sol";
import {PayloadTree} from "./PayloadTree.sol";
import {SlotReference} from "./SlotReference.sol";

/// @notice A network whose provider commits. Bundles are kept as plain lists; the answers that audits ask for and
/// those of all deals are real, the other entries are absent (docs/spec/bundles.md 5).
abstract contract Bundles is Network {
    /// @notice A bundle by index. Made while the tree is the one of its period.
    struct Book {
        bytes32 base;
        bytes32[] entries;
        bytes[] answers;
    }

    /// @notice Seeds a period and commits to its bundle.
    function commit(uint64 of_, uint256[] memory nonces) internal returns (Book memory book) {
        seed(of_);
        book = bookOf(of_, nonces);
        put(of_, rootOf(book));
    }

    function commit(uint64 of_, uint256 nonce) internal returns (Book memory) {
        return commit(of_, only(nonce));
    }

    function put(uint64 of_, bytes32 root) internal {
        vm.prank(operator);
        proofs.commitPeriod(of_, root);
    }

    /// @notice Commits and answers the audit, which the first period owes.
    function commitFirst(uint64 of_, uint256 nonce) internal returns (Book memory book) {
        book = commit(of_, nonce);
        proofs.answerAudit(provider, auditOf(book));
    }

    function bookOf(uint64 of_, uint256[] memory nonces) internal view returns (Book memory book) {
        bytes32 seed_ = beacon.seedOf(of_);
        book.base = Challenge.challengeBase(block.chainid, address(proofs), provider, of_, seed_);
        uint256 deals;
        for (uint256 slot = 0; slot < slots.count(); slot++) {
            if (slots.slotAt(slot).leaves != 0) deals++;
        }
        book.entries = new bytes32[](460 + 5 * deals);
        book.answers = new bytes[](460 + 5 * deals);
        uint64 weight = proofs.snapshotAt(provider, of_).weight;
        for (uint32 i = 0; i < 460; i++) {
            if (i < proofs.directChallenges()) {
                book.answers[i] = answer(Challenge.globalChallenge(book.base, i, weight), nonces);
            }
            enter(book, Bundle.Question(Bundle.Class.GLOBAL, 0, i), i);
        }
        uint256 index = 460;
        for (uint256 slot = 0; slot < slots.count(); slot++) {
            SlotReference.Slot memory held = slots.slotAt(slot);
            if (held.leaves == 0) continue;
            for (uint32 i = 0; i < 5; i++) {
                uint256 leaf = Challenge.dealChallenge(book.base, held.deal, i, held.leaves);
                book.answers[index] = answerAt(uint32(slot), leaf, nonces[slot]);
                enter(book, Bundle.Question(Bundle.Class.DEAL, held.deal, i), index);
                index++;
            }
        }
    }

    function enter(Book memory book, Bundle.Question memory question, uint256 index) internal pure {
        book.entries[index] = Bundle.entryHash(question, uint64(index), keccak256(book.answers[index]));
    }

    /// @notice Loses an entry and commits to the rest.
    function lose(Book memory book, Bundle.Question memory question, uint256 index) internal pure {
        book.answers[index] = "";
        enter(book, question, index);
    }

    function rootOf(Book memory book) internal pure returns (bytes32) {
        uint256 levels = PayloadTree.depth(book.entries.length);
        return Bundle.rootOf(book.base, uint64(book.entries.length), node(book, levels, 0));
    }

    function node(Book memory book, uint256 level, uint256 index) internal pure returns (bytes32) {
        if (index << level >= book.entries.length) return zeroNode(level);
        if (level == 0) return book.entries[index];
        return pair(node(book, level - 1, 2 * index), node(book, level - 1, 2 * index + 1));
    }

    /// @notice Without allocating: bundles have many nodes, and memory costs by its square.
    function pair(bytes32 left, bytes32 right) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore(0, left)
            mstore(32, right)
            hash := keccak256(0, 64)
        }
    }

    function zeroNode(uint256 level) internal pure returns (bytes32 hash) {
        for (uint256 i = 0; i < level; i++) {
            hash = pair(hash, hash);
        }
    }

    /// @notice One entry, packed as the contracts read it.
    function openingOf(Book memory book, uint256 index) internal pure returns (bytes memory) {
        bytes memory path;
        for (uint256 level = 0; level < PayloadTree.depth(book.entries.length); level++) {
            path = abi.encodePacked(path, node(book, level, (index >> level) ^ 1));
        }
        return abi.encodePacked(uint64(index), uint64(book.entries.length), path, book.answers[index]);
    }

    /// @notice What an audit of the period asks for.
    function auditOf(Book memory book) internal view returns (bytes[] memory openings) {
        openings = new bytes[](proofs.directChallenges());
        for (uint256 i = 0; i < openings.length; i++) {
            openings[i] = openingOf(book, i);
        }
    }

    function globalQuestion(uint32 i) internal pure returns (Bundle.Question memory) {
        return Bundle.Question(Bundle.Class.GLOBAL, 0, i);
    }

    function dealQuestion(bytes32 deal, uint32 i) internal pure returns (Bundle.Question memory) {
        return Bundle.Question(Bundle.Class.DEAL, deal, i);
    }

    function placeOf(uint64 of_, Bundle.Question memory question) internal view returns (Place) {
        return placeFor(provider, of_, question);
    }

    function placeFor(address who, uint64 of_, Bundle.Question memory question)
        internal
        pure
        returns (Place)
    {
        return Place.wrap(
            bytes32(abi.encodePacked(who, uint56(of_), uint8(question.class), uint32(question.i)))
        );
    }

    /// @notice The head of an answer of the deal in `slot`.
    function membershipOf(uint32 slot) internal view returns (bytes memory) {
        SlotReference.Slot memory held = slots.slotAt(slot);
        return abi.encodePacked(held.deal, uint8(1), held.root, held.leaves, slot, slots.path(slot));
    }

    /// @notice The client asks.
    function ask(uint64 of_, Bundle.Question memory question, bytes memory membership)
        internal
        returns (bytes32)
    {
        vm.prank(client);
        return disputes.openDispute(provider, of_, question, membership);
    }

    function ask(uint64 of_, uint32 i) internal returns (bytes32) {
        return ask(of_, globalQuestion(i), "");
    }

    /// @notice One usable period is all that a timeout needs here.
    function usable(uint64 of_) internal pure returns (uint64[] memory list) {
        list = new uint64[](1);
        list[0] = of_;
    }

    function none() internal pure returns (uint64[] memory) {
        return new uint64[](0);
    }

    /// @notice A seed for a period without anything else.
    function seedOnly(uint64 from, uint64 to) internal {
        for (uint64 p = from; p <= to; p++) {
            seed(p);
        }
    }

    function recoveryOf(DealTerms memory terms, uint64 of_, uint256 nonce)
        internal
        view
        returns (bytes[] memory openings)
    {
        bytes32 deal = market.dealIdOf(terms);
        bytes32 base =
            Challenge.challengeBase(block.chainid, address(proofs), provider, of_, beacon.seedOf(of_));
        uint64 leaves = (terms.length + 1023) / 1024;
        openings = new bytes[](5);
        for (uint32 i = 0; i < 5; i++) {
            uint256 leaf = Challenge.dealChallenge(base, deal, i, leaves);
            openings[i] = PayloadTree.opening(bytes32(nonce), leaves, leaf);
        }
    }

    function standing() internal view returns (IProofLedger.Standing memory) {
        return proofs.standingOf(provider);
    }
}
