// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {Geometry} from "./Geometry.sol";

/// @notice The SHA-256 tree of a payload (scheme 1, sha256-1k): the root that one leaf and its path lead to.
/// The leaf is given as its 1024 bytes and the number of siblings is fixed by the leaf count, so an inner node
/// can never pass as a leaf. Twin: packages/protocol/src/merkle/proof.ts.
library PayloadProof {
    /// @param opening 1024 leaf bytes, then exactly depthFor(leaves) siblings of 32 bytes, leaf level first; the
    /// caller has checked the length.
    function leafRoot(bytes calldata opening, uint256 index) internal pure returns (bytes32 node) {
        node = sha256(opening[:Geometry.LEAF_BYTES]);
        uint256 depth = (opening.length - Geometry.LEAF_BYTES) / Geometry.NODE_BYTES;
        for (uint256 level = 0; level < depth; level++) {
            uint256 offset = Geometry.LEAF_BYTES + level * Geometry.NODE_BYTES;
            bytes32 sibling = bytes32(opening[offset:offset + Geometry.NODE_BYTES]);
            node = (index >> level) & 1 == 0
                ? sha256(abi.encodePacked(node, sibling))
                : sha256(abi.encodePacked(sibling, node));
        }
    }
}
