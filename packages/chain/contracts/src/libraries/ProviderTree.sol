// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

/// @notice The keccak-256 Merkle-sum tree over a provider's deal slots: hashing, paths, replacing one slot.
/// A tree of depth d has 2^d slots and grows by a level when a deal needs the first slot beyond it; slots are
/// reused and the count never shrinks. Twin: packages/protocol/src/sum-node.ts and provider-tree.ts.
///
/// Slot leaf preimages have 73 bytes and node preimages 80, and the depth is fixed by the stored state, so
/// leaves and nodes cannot stand for each other.
library ProviderTree {
    uint256 internal constant SIBLING_BYTES = 40;
    uint256 internal constant DEPTH_MAX = 32;

    /// @param slotCount Slots ever used.
    /// @param inForceFrom The first period whose challenges this tree answers.
    /// @param snapshots Trees pushed into the ring so far.
    struct Tree {
        bytes32 root;
        uint64 weight;
        uint8 depth;
        uint40 slotCount;
        uint32 inForceFrom;
        uint32 snapshots;
    }

    error TreePathLength(uint256 expected, uint256 actual);
    error TreeSlotOutside(uint256 slot, uint256 slotCount);
    error TreeFull();
    error TreePathMismatch(bytes32 expected, bytes32 actual);
    /// @notice Weights along a path sum up to more than 64 bits.
    error TreeWeightOverflow();

    /// @notice The hash of a deal in its slot; its weight is its leaves.
    function slotHash(bytes32 deal, uint8 scheme, bytes32 root, uint64 leaves) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(deal, scheme, root, leaves));
    }

    /// @notice The hash of a node over two children.
    function parentHash(bytes32 left, uint64 leftWeight, bytes32 right, uint64 rightWeight)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encodePacked(left, leftWeight, right, rightWeight));
    }

    /// @notice The hash of a subtree of empty slots, `level` levels above them. Its weight is 0.
    function emptyHash(uint256 level) internal pure returns (bytes32 hash) {
        for (uint256 i = 0; i < level; i++) {
            hash = parentHash(hash, 0, hash, 0);
        }
    }

    /// @notice Climbs from a slot to the root.
    /// @param path Siblings from the leaf level up, 40 bytes each: hash, weight (uint64).
    /// @return root The root that slot and path lead to.
    /// @return weight Its weight.
    /// @return before The weight of everything left of the slot.
    function climb(bytes32 hash, uint64 ownWeight, uint256 slot, bytes calldata path)
        internal
        pure
        returns (bytes32 root, uint64 weight, uint64 before)
    {
        root = hash;
        weight = ownWeight;
        uint256 depth = path.length / SIBLING_BYTES;
        for (uint256 level = 0; level < depth; level++) {
            uint256 offset = level * SIBLING_BYTES;
            bytes32 sibling = bytes32(path[offset:offset + 32]);
            uint64 siblingWeight = uint64(bytes8(path[offset + 32:offset + 40]));
            require(siblingWeight <= type(uint64).max - weight, TreeWeightOverflow());
            if ((slot >> level) & 1 == 0) {
                root = parentHash(root, weight, sibling, siblingWeight);
            } else {
                root = parentHash(sibling, siblingWeight, root, weight);
                before += siblingWeight;
            }
            weight += siblingWeight;
        }
    }

    /// @notice `tree` with an empty slot filled; grown first when the slot is the one beyond its last.
    function fill(Tree memory tree, uint256 slot, bytes calldata path, bytes32 hash, uint64 leaves)
        internal
        pure
    {
        require(slot <= tree.slotCount, TreeSlotOutside(slot, tree.slotCount));
        if (slot == tree.slotCount) {
            if (slot != 0 && slot == uint256(1) << tree.depth) _grow(tree);
            tree.slotCount++;
        }
        _replace(tree, slot, path, Leaf(0, 0), Leaf(hash, leaves));
    }

    /// @notice `tree` with a slot emptied that held the leaf (hash, leaves).
    function free(Tree memory tree, uint256 slot, bytes calldata path, bytes32 hash, uint64 leaves) internal pure {
        require(slot < tree.slotCount, TreeSlotOutside(slot, tree.slotCount));
        _replace(tree, slot, path, Leaf(hash, leaves), Leaf(0, 0));
    }

    struct Leaf {
        bytes32 hash;
        uint64 weight;
    }

    function _grow(Tree memory tree) private pure {
        require(tree.depth < DEPTH_MAX, TreeFull());
        tree.root = parentHash(tree.root, tree.weight, emptyHash(tree.depth), 0);
        tree.depth++;
    }

    function _replace(Tree memory tree, uint256 slot, bytes calldata path, Leaf memory from, Leaf memory to)
        private
        pure
    {
        uint256 expected = uint256(tree.depth) * SIBLING_BYTES;
        require(path.length == expected, TreePathLength(expected, path.length));
        (bytes32 root,,) = climb(from.hash, from.weight, slot, path);
        require(root == tree.root, TreePathMismatch(tree.root, root));
        (tree.root, tree.weight,) = climb(to.hash, to.weight, slot, path);
    }
}
