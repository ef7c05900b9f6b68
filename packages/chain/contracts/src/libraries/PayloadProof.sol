// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {Geometry} from "./Geometry.sol";

/// @notice The SHA-256 tree of a payload (scheme 1, sha256-1k): the root that one leaf and its path lead to.
/// The leaf is given as its 1024 bytes and the number of siblings is fixed by the leaf count, so an inner node
/// can never pass as a leaf. Twin: packages/protocol/src/merkle/proof.ts.
library PayloadProof {
    /// @notice The SHA-256 precompile did not answer, for want of gas.
    error PayloadHashFailed();

    /// @param opening 1024 leaf bytes, then exactly depthFor(leaves) siblings of 32 bytes, leaf level first; the
    /// caller has checked the length.
    /// @dev Assembly, because a disputed answer climbs up to 40 levels: about 500 gas less each than sha256 over
    /// abi.encodePacked (snapshots/gas.json, answer-dispute-*). Its plain twin is PayloadTree in the tests.
    function leafRoot(bytes calldata opening, uint256 index) internal view returns (bytes32 node) {
        node = sha256(opening[:Geometry.LEAF_BYTES]);
        uint256 siblings = (opening.length - Geometry.LEAF_BYTES) / Geometry.NODE_BYTES;
        bool success = true;
        assembly ("memory-safe") {
            let cursor := add(opening.offset, 1024)
            for { let end := add(cursor, mul(siblings, 32)) } lt(cursor, end) { cursor := add(cursor, 32) } {
                // The node goes to the left (0) when the index is even, to the right (32) when it is odd.
                let own := shl(5, and(index, 1))
                mstore(own, node)
                mstore(xor(own, 32), calldataload(cursor))
                success := and(success, staticcall(gas(), 2, 0, 64, 0, 32))
                node := mload(0)
                index := shr(1, index)
            }
        }
        require(success, PayloadHashFailed());
    }
}
