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

    /// @notice A tree in storage. The second word is weight 64 | depth 8 | slotCount 40 | inForceFrom 32 |
    /// snapshots 32, lowest first, packed by hand so that it is read once and written once.
    struct Stored {
        bytes32 root;
        uint256 rest;
    }

    error TreePathLength(uint256 expected, uint256 actual);
    error TreeSlotOutside(uint256 slot, uint256 slotCount);
    error TreeFull();
    error TreePathMismatch(bytes32 expected, bytes32 actual);
    /// @notice Weights along a path sum up to more than 64 bits.
    error TreeWeightOverflow();

    function load(Stored storage stored) internal view returns (Tree memory tree) {
        uint256 rest = stored.rest;
        return Tree(
            stored.root,
            uint64(rest),
            uint8(rest >> 64),
            uint40(rest >> 72),
            uint32(rest >> 112),
            uint32(rest >> 144)
        );
    }

    function save(Stored storage stored, Tree memory tree) internal {
        stored.root = tree.root;
        stored.rest = uint256(tree.weight) | uint256(tree.depth) << 64 | uint256(tree.slotCount) << 72
            | uint256(tree.inForceFrom) << 112 | uint256(tree.snapshots) << 144;
    }

    /// @notice The hash of a deal in its slot; its weight is its leaves.
    function slotHash(bytes32 deal, uint8 scheme, bytes32 root, uint64 leaves)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encodePacked(deal, scheme, root, leaves));
    }

    /// @notice keccak256(left 32 | leftWeight 8 | right 32 | rightWeight 8), the hash of a node over two children.
    /// Assembly, because a deal opens with 2 x depth of these: about 120 gas less each than abi.encodePacked, which
    /// allocates (snapshots/gas.json, open-deal-among-65k). Its plain twin is SlotReference in the tests.
    function parentHash(bytes32 left, uint64 leftWeight, bytes32 right, uint64 rightWeight)
        internal
        pure
        returns (bytes32 hash)
    {
        assembly ("memory-safe") {
            let scratch := mload(0x40)
            mstore(scratch, left)
            mstore(add(scratch, 32), or(shl(192, leftWeight), shr(64, right)))
            mstore(add(scratch, 64), or(shl(192, right), shl(128, and(rightWeight, 0xffffffffffffffff))))
            hash := keccak256(scratch, 80)
        }
    }

    /// @notice The hash of a subtree of empty slots, `level` levels above them. Its weight is 0.
    function emptyHash(uint256 level) internal pure returns (bytes32 hash) {
        for (uint256 i = 0; i < level; i++) {
            hash = parentHash(hash, 0, hash, 0);
        }
    }

    /// @notice Sibling `level` of a path that has it; unchecked, since a deal opens with 2 x depth of these.
    function siblingAt(bytes calldata path, uint256 level)
        internal
        pure
        returns (bytes32 hash, uint64 weight)
    {
        assembly ("memory-safe") {
            let cursor := add(path.offset, mul(level, 40))
            hash := calldataload(cursor)
            weight := shr(192, calldataload(add(cursor, 32)))
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
        // Nothing here overflows: before <= weight, and their sum with a sibling's is checked.
        unchecked {
            for (uint256 level = 0; level < depth; level++) {
                (bytes32 sibling, uint64 siblingWeight) = siblingAt(path, level);
                if (siblingWeight > type(uint64).max - weight) revert TreeWeightOverflow();
                if ((slot >> level) & 1 == 0) {
                    root = parentHash(root, weight, sibling, siblingWeight);
                } else {
                    root = parentHash(sibling, siblingWeight, root, weight);
                    before += siblingWeight;
                }
                weight += siblingWeight;
            }
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
        _checkPath(tree, slot, path, 0, 0);
        (tree.root, tree.weight,) = climb(hash, leaves, slot, path);
    }

    /// @notice `tree` with a slot emptied that held the leaf (hash, leaves).
    function free(Tree memory tree, uint256 slot, bytes calldata path, bytes32 hash, uint64 leaves)
        internal
        pure
    {
        require(slot < tree.slotCount, TreeSlotOutside(slot, tree.slotCount));
        _checkPath(tree, slot, path, hash, leaves);
        (tree.root, tree.weight,) = climb(0, 0, slot, path);
    }

    function _grow(Tree memory tree) private pure {
        require(tree.depth < DEPTH_MAX, TreeFull());
        tree.root = parentHash(tree.root, tree.weight, emptyHash(tree.depth), 0);
        tree.depth++;
    }

    /// @notice Reverts unless the path leads from what the slot holds to the root of `tree`.
    function _checkPath(Tree memory tree, uint256 slot, bytes calldata path, bytes32 hash, uint64 leaves)
        private
        pure
    {
        uint256 expected = uint256(tree.depth) * SIBLING_BYTES;
        require(path.length == expected, TreePathLength(expected, path.length));
        (bytes32 root,,) = climb(hash, leaves, slot, path);
        require(root == tree.root, TreePathMismatch(tree.root, root));
    }
}
