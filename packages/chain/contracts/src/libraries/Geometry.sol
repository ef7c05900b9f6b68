// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

/// @notice The shape of a payload's tree: how many leaves, how deep. Twin: packages/protocol/src/geometry.ts.
library Geometry {
    uint256 internal constant LEAF_BYTES = 1024;
    uint256 internal constant NODE_BYTES = 32;
    uint256 internal constant PAYLOAD_BYTES_MAX = 1 << 50;
    uint256 internal constant LEAVES_MAX = PAYLOAD_BYTES_MAX / LEAF_BYTES;

    error PayloadEmpty();
    error PayloadTooLarge(uint256 limit, uint256 actual);

    /// @notice ceil(length / 1024), for 1 <= length <= 2^50.
    function leavesFor(uint256 length) internal pure returns (uint64) {
        require(length != 0, PayloadEmpty());
        require(length <= PAYLOAD_BYTES_MAX, PayloadTooLarge(PAYLOAD_BYTES_MAX, length));
        return uint64((length + LEAF_BYTES - 1) / LEAF_BYTES);
    }

    /// @notice Levels above the leaves: ceil(log2(count)), 0 for one leaf. `count` must be positive and below 2^64.
    function depthFor(uint256 count) internal pure returns (uint256 depth) {
        uint256 rest = count - 1;
        unchecked {
            for (uint256 bits = 32; bits != 0; bits >>= 1) {
                if (rest >> bits == 0) continue;
                rest >>= bits;
                depth += bits;
            }
            depth += rest;
        }
    }
}
