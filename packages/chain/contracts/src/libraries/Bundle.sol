// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {AnswerCheck} from "./AnswerCheck.sol";
import {Challenge} from "./Challenge.sol";
import {Geometry} from "./Geometry.sol";
import {ProviderTree} from "./ProviderTree.sol";

/// @notice The bundle of a period: all answers of one provider, committed to by 32 bytes, and the check that one
/// entry of it answers the challenge it stands for. Twin: packages/protocol/src/bundle, docs/spec/bundles.md.
///
/// entry = keccak256(DOMAIN 32 | class 1 | deal 32 | i 4 | index 8 | keccak256(answer) 32), 109 bytes
/// node  = keccak256(left 32 | right 32), 64 bytes; places after the last entry are zero nodes
/// root  = keccak256(DOMAIN 32 | challenge base 32 | count 8 | top 32), 104 bytes
/// The challenge base holds chain, ledger, provider, period and seed, so no entry serves any other.
///
/// opening = index 8 | count 8 | path, ceil(log2(count)) siblings of 32, entry level first | answer, to the end.
/// Packed, because every byte of it costs 40 gas.
library Bundle {
    bytes32 internal constant DOMAIN = keccak256("holdfast/bundle/v1");
    uint256 internal constant GLOBAL_ENTRIES = 460;
    uint256 internal constant DEAL_ENTRIES = 5;
    /// @dev 2^32 slots at most.
    uint256 internal constant COUNT_MAX = GLOBAL_ENTRIES + (DEAL_ENTRIES << ProviderTree.DEPTH_MAX);

    enum Class {
        GLOBAL,
        DEAL
    }

    /// @param deal Zero in the class global.
    struct Question {
        Class class;
        bytes32 deal;
        uint32 i;
    }

    /// @notice What a provider committed to and what it is judged by.
    /// @param base Challenge.challengeBase of the period.
    struct Committed {
        bytes32 root;
        bytes32 base;
        bytes32 treeRoot;
        uint64 weight;
        uint8 depth;
    }

    uint256 private constant OPENING_HEAD = 16;

    error BundleCount(uint256 count);
    error BundlePlace(Class class, bytes32 deal, uint256 i, uint256 index);
    error BundleOpeningLength(uint256 least, uint256 actual);
    error BundleMismatch(bytes32 expected, bytes32 actual);
    error BundleDeal(bytes32 expected, bytes32 actual);
    error BundleWithoutWeight();

    /// @notice Reverts unless the entry is in the bundle, at a place that entries for this question have, and its
    /// answer is right.
    function verify(Committed memory committed, Question memory question, bytes calldata opening)
        internal
        view
    {
        bytes calldata answer = _open(committed, question, opening);
        uint256 position = _position(committed, question, answer);
        AnswerCheck.verify(answer, committed.treeRoot, committed.depth, position);
    }

    /// @notice The deal that an opening's answer is about.
    function dealOf(bytes calldata opening) internal pure returns (bytes32) {
        require(opening.length >= OPENING_HEAD, BundleOpeningLength(OPENING_HEAD, opening.length));
        uint256 count = uint64(bytes8(opening[8:16]));
        require(count != 0, BundleCount(count));
        uint256 answerAt = OPENING_HEAD + 32 * Geometry.depthFor(count);
        require(opening.length >= answerAt + 32, BundleOpeningLength(answerAt + 32, opening.length));
        return bytes32(opening[answerAt:answerAt + 32]);
    }

    function entryHash(Question memory question, uint64 index, bytes32 answerHash)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encodePacked(DOMAIN, uint8(question.class), question.deal, question.i, index, answerHash)
        );
    }

    function rootOf(bytes32 base, uint64 count, bytes32 top) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(DOMAIN, base, count, top));
    }

    /// @notice The top node that an entry and its path lead to. Assembly as in PayloadProof.
    function climb(bytes32 entry, uint256 index, bytes calldata path) internal pure returns (bytes32 node) {
        node = entry;
        uint256 levels = path.length / 32;
        assembly ("memory-safe") {
            let cursor := path.offset
            for { let end := add(cursor, mul(levels, 32)) } lt(cursor, end) { cursor := add(cursor, 32) } {
                // The node goes to the left (0) when the index is even, to the right (32) when it is odd.
                let own := shl(5, and(index, 1))
                mstore(own, node)
                mstore(xor(own, 32), calldataload(cursor))
                node := keccak256(0, 64)
                index := shr(1, index)
            }
        }
    }

    /// @notice The answer that an opening shows to be in the bundle, at a place for this question.
    function _open(Committed memory committed, Question memory question, bytes calldata opening)
        private
        pure
        returns (bytes calldata answer)
    {
        require(opening.length >= OPENING_HEAD, BundleOpeningLength(OPENING_HEAD, opening.length));
        uint64 index = uint64(bytes8(opening[:8]));
        uint64 count = uint64(bytes8(opening[8:16]));
        _checkPlace(question, index, count);
        uint256 answerAt = OPENING_HEAD + 32 * Geometry.depthFor(count);
        require(opening.length >= answerAt, BundleOpeningLength(answerAt, opening.length));
        answer = opening[answerAt:];
        bytes32 entry = entryHash(question, index, keccak256(answer));
        bytes32 top = climb(entry, index, opening[OPENING_HEAD:answerAt]);
        bytes32 actual = rootOf(committed.base, count, top);
        require(actual == committed.root, BundleMismatch(committed.root, actual));
    }

    /// @notice Which of a deal's entries stand where is fixed; which deal's they are is said by the entry itself,
    /// for the chain does not know how many deals come before.
    function _checkPlace(Question memory question, uint256 index, uint256 count) private pure {
        bool whole =
            count >= GLOBAL_ENTRIES && count <= COUNT_MAX && (count - GLOBAL_ENTRIES) % DEAL_ENTRIES == 0;
        require(whole, BundleCount(count));
        bool fits = question.class == Class.GLOBAL
            ? question.deal == 0 && index < GLOBAL_ENTRIES && index == question.i
            : index >= GLOBAL_ENTRIES && index < count
                && (index - GLOBAL_ENTRIES) % DEAL_ENTRIES == question.i;
        require(fits, BundlePlace(question.class, question.deal, question.i, index));
    }

    /// @notice The challenged position in the provider's weight. For a deal: the weight left of it, read from the
    /// answer's own path, which AnswerCheck shows to be the tree's, plus the challenged leaf.
    function _position(Committed memory committed, Question memory question, bytes calldata answer)
        private
        pure
        returns (uint256 position)
    {
        if (question.class == Class.GLOBAL) {
            require(committed.weight != 0, BundleWithoutWeight());
            return Challenge.globalChallenge(committed.base, question.i, committed.weight);
        }
        uint256 headBytes = AnswerCheck.HEAD_BYTES + committed.depth * ProviderTree.SIBLING_BYTES;
        require(answer.length > headBytes, AnswerCheck.AnswerLength(headBytes, answer.length));
        bytes32 deal = bytes32(answer[:32]);
        require(deal == question.deal, BundleDeal(question.deal, deal));
        uint64 leaves = uint64(bytes8(answer[65:73]));
        require(leaves != 0, AnswerCheck.AnswerLeaves(leaves));
        position = Challenge.dealChallenge(committed.base, deal, question.i, leaves);
        uint256 slot = uint32(bytes4(answer[73:77]));
        bytes calldata path = answer[AnswerCheck.HEAD_BYTES:headBytes];
        for (uint256 level = 0; slot != 0 && level < committed.depth; level++) {
            (, uint64 weight) = ProviderTree.siblingAt(path, level);
            if (slot & 1 == 1) position += weight;
            slot >>= 1;
        }
    }
}
