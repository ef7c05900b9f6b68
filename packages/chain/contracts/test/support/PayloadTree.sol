// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

/// @notice Payload trees for tests, slow and obvious. A payload is named by a seed: leaf i is that seed's 1024
/// bytes for i. Uniform payloads have the same bytes in every leaf, so that any leaf of a tree of any size opens.
library PayloadTree {
    function leaf(bytes32 seed, uint256 index) internal pure returns (bytes memory data) {
        for (uint256 i = 0; i < 32; i++) {
            data = abi.encodePacked(data, keccak256(abi.encodePacked(seed, index, i)));
        }
    }

    function depth(uint256 leaves) internal pure returns (uint256 levels) {
        while (uint256(1) << levels < leaves) levels++;
    }

    /// @notice Node at a level, by recursion; zero nodes where there is no leaf.
    function node(bytes32 seed, uint256 leaves, uint256 level, uint256 index)
        internal
        pure
        returns (bytes32)
    {
        if (level == 0) return index < leaves ? sha256(leaf(seed, index)) : bytes32(0);
        return sha256(
            abi.encodePacked(
                node(seed, leaves, level - 1, 2 * index), node(seed, leaves, level - 1, 2 * index + 1)
            )
        );
    }

    function root(bytes32 seed, uint256 leaves) internal pure returns (bytes32) {
        return node(seed, leaves, depth(leaves), 0);
    }

    /// @notice Leaf bytes and siblings, joined.
    function opening(bytes32 seed, uint256 leaves, uint256 index) internal pure returns (bytes memory data) {
        data = leaf(seed, index);
        for (uint256 level = 0; level < depth(leaves); level++) {
            data = abi.encodePacked(data, node(seed, leaves, level, (index >> level) ^ 1));
        }
    }

    /// @notice Root of 2^levels equal leaves.
    function uniformRoot(bytes32 seed, uint256 levels) internal pure returns (bytes32 value) {
        value = sha256(leaf(seed, 0));
        for (uint256 level = 0; level < levels; level++) {
            value = sha256(abi.encodePacked(value, value));
        }
    }

    /// @notice The opening of any leaf of it.
    function uniformOpening(bytes32 seed, uint256 levels) internal pure returns (bytes memory data) {
        data = leaf(seed, 0);
        bytes32 value = sha256(data);
        for (uint256 level = 0; level < levels; level++) {
            data = abi.encodePacked(data, value);
            value = sha256(abi.encodePacked(value, value));
        }
    }
}
