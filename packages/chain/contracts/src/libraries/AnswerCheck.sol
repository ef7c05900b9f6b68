// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {Geometry} from "./Geometry.sol";
import {PayloadProof} from "./PayloadProof.sol";
import {ProviderTree} from "./ProviderTree.sol";

/// @notice The one check of an answer to a challenge, for direct mode, audits and disputes alike: the
/// challenged position lies in this deal of the snapshotted tree, and these bytes are that leaf of its payload.
/// Twin: packages/protocol/src/answer.ts.
///
/// answer = dealId 32 | scheme 1 | root 32 | leaves 8 | slot 4 | treeDepth x (sibling 32 | weight 8) | leaf 1024
///          | payloadDepth x sibling 32, big endian, nothing before, between or after.
library AnswerCheck {
    uint256 internal constant HEAD_BYTES = 77;

    error AnswerLength(uint256 expected, uint256 actual);
    error AnswerScheme(uint8 scheme);
    error AnswerLeaves(uint64 leaves);
    error AnswerSlotOutside(uint256 slot, uint256 depth);
    error AnswerTreeMismatch(bytes32 expected, bytes32 actual);
    error AnswerPositionOutside(uint256 position, uint256 from, uint256 leaves);
    error AnswerPayloadMismatch(bytes32 expected, bytes32 actual);

    /// @notice Reverts unless `answer` opens `position` of the tree (root, depth).
    function verify(bytes calldata answer, bytes32 treeRoot, uint256 treeDepth, uint256 position)
        internal
        view
    {
        uint256 leafAt = HEAD_BYTES + treeDepth * ProviderTree.SIBLING_BYTES;
        require(answer.length > leafAt, AnswerLength(leafAt + Geometry.LEAF_BYTES, answer.length));
        uint64 leaves = uint64(bytes8(answer[65:73]));
        require(leaves != 0 && leaves <= Geometry.LEAVES_MAX, AnswerLeaves(leaves));
        uint256 expected = leafAt + Geometry.LEAF_BYTES + Geometry.depthFor(leaves) * Geometry.NODE_BYTES;
        require(answer.length == expected, AnswerLength(expected, answer.length));

        uint256 before = locate(answer[:leafAt], treeRoot, treeDepth, leaves);
        require(
            position >= before && position < before + leaves, AnswerPositionOutside(position, before, leaves)
        );

        bytes32 root = bytes32(answer[33:65]);
        bytes32 actual = PayloadProof.leafRoot(answer[leafAt:], position - before);
        require(actual == root, AnswerPayloadMismatch(root, actual));
    }

    /// @notice Reverts unless the head of an answer, up to its leaf, shows a deal's slot in the tree (root, depth).
    /// @param leaves As the head says.
    /// @return before The weight left of the deal.
    function locate(bytes calldata head, bytes32 treeRoot, uint256 treeDepth, uint64 leaves)
        internal
        pure
        returns (uint64 before)
    {
        uint8 scheme = uint8(head[32]);
        require(scheme == 1, AnswerScheme(scheme));
        uint256 slot = uint32(bytes4(head[73:77]));
        require(slot >> treeDepth == 0, AnswerSlotOutside(slot, treeDepth));
        bytes32 hash = ProviderTree.slotHash(bytes32(head[:32]), scheme, bytes32(head[33:65]), leaves);
        bytes32 actual;
        (actual,, before) = ProviderTree.climb(hash, leaves, slot, head[HEAD_BYTES:]);
        require(actual == treeRoot, AnswerTreeMismatch(treeRoot, actual));
    }
}
