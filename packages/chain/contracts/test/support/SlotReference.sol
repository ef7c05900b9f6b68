// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

/// @notice A provider tree kept as a plain list of slots; nodes by recursion over the whole list. Slow, obvious,
/// independent of libraries/ProviderTree.sol.
contract SlotReference {
    struct Slot {
        bytes32 deal;
        bytes32 root;
        uint64 leaves;
    }

    Slot[] private _slots;

    function count() external view returns (uint256) {
        return _slots.length;
    }

    function slotAt(uint256 slot) external view returns (Slot memory) {
        return _slots[slot];
    }

    function put(uint256 slot, bytes32 deal, bytes32 root_, uint64 leaves) external {
        if (slot == _slots.length) _slots.push();
        _slots[slot] = Slot(deal, root_, leaves);
    }

    function clear(uint256 slot) external {
        delete _slots[slot];
    }

    function firstFree() external view returns (uint32) {
        for (uint256 i = 0; i < _slots.length; i++) {
            if (_slots[i].leaves == 0) return uint32(i);
        }
        return uint32(_slots.length);
    }

    function depth() public view returns (uint256) {
        return depthOf(_slots.length);
    }

    function depthOf(uint256 slots) public pure returns (uint256 levels) {
        while (uint256(1) << levels < slots) levels++;
    }

    function node(uint256 level, uint256 index) public view returns (bytes32 hash, uint64 weight) {
        if (level == 0) {
            if (index >= _slots.length || _slots[index].leaves == 0) return (0, 0);
            Slot memory slot = _slots[index];
            hash = keccak256(abi.encodePacked(slot.deal, uint8(1), slot.root, slot.leaves));
            return (hash, slot.leaves);
        }
        (bytes32 left, uint64 leftWeight) = node(level - 1, 2 * index);
        (bytes32 right, uint64 rightWeight) = node(level - 1, 2 * index + 1);
        hash = keccak256(abi.encodePacked(left, leftWeight, right, rightWeight));
        return (hash, leftWeight + rightWeight);
    }

    function root() external view returns (bytes32 hash, uint64 weight) {
        return node(depth(), 0);
    }

    /// @notice Siblings of a slot; for the next new one, in the tree as it will have grown.
    function path(uint256 slot) external view returns (bytes memory data) {
        uint256 levels = slot == _slots.length ? depthOf(_slots.length + 1) : depth();
        for (uint256 level = 0; level < levels; level++) {
            (bytes32 hash, uint64 weight) = node(level, (slot >> level) ^ 1);
            data = abi.encodePacked(data, hash, weight);
        }
    }

    /// @notice The slot that a position of the weight falls into, and the leaf in it.
    function locate(uint256 position) external view returns (uint32 slot, uint256 leaf) {
        uint256 rest = position;
        for (uint256 i = 0; i < _slots.length; i++) {
            if (rest < _slots[i].leaves) return (uint32(i), rest);
            rest -= _slots[i].leaves;
        }
        revert("outside the weight");
    }
}
