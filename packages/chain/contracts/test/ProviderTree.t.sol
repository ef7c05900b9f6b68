// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {ProviderTree} from "../src/libraries/ProviderTree.sol";
import {Base} from "./support/Base.sol";
import {SlotReference} from "./support/SlotReference.sol";

/// @notice The provider tree against a plain list of slots whose nodes are computed by recursion.
contract ProviderTreeTest is Base {
    using ProviderTree for ProviderTree.Stored;

    ProviderTree.Stored private _stored;

    function testFuzz_Tree_agreesWithAList(uint256[20] memory moves) external {
        SlotReference slots = new SlotReference();
        for (uint256 i = 0; i < moves.length; i++) {
            uint256 count = slots.count();
            uint256 slot = moves[i] % (count + 1);
            bytes memory path = slots.path(slot);
            ProviderTree.Tree memory tree = _stored.load();
            bool taken = slot < count && slots.slotAt(slot).leaves != 0;
            if (taken) {
                SlotReference.Slot memory held = slots.slotAt(slot);
                bytes32 hash = ProviderTree.slotHash(held.deal, 1, held.root, held.leaves);
                tree = this.free(tree, slot, path, hash, held.leaves);
                slots.clear(slot);
            } else {
                (bytes32 deal, bytes32 root) = (bytes32(i + 1), bytes32(moves[i]));
                uint64 leaves = uint64(bound(moves[i] >> 8, 1, 1 << 40));
                tree = this.fill(tree, slot, path, ProviderTree.slotHash(deal, 1, root, leaves), leaves);
                slots.put(slot, deal, root, leaves);
            }
            _stored.save(tree);
            (bytes32 expected, uint64 weight) = slots.root();
            vm.assertEq(_stored.load().root, expected, "root");
            vm.assertEq(_stored.load().weight, weight, "weight");
            vm.assertEq(_stored.load().depth, slots.depth(), "depth");
            vm.assertEq(_stored.load().slotCount, slots.count(), "slots");
        }
    }

    function testFuzz_Stored_roundTrips(ProviderTree.Tree memory tree) external {
        _stored.save(tree);
        vm.assertEq(abi.encode(_stored.load()), abi.encode(tree), "tree");
    }

    function test_Fill_revertsBeyondTheNextSlot() external {
        ProviderTree.Tree memory tree;
        vm.expectRevert(abi.encodeWithSelector(ProviderTree.TreeSlotOutside.selector, 1, 0));
        this.fill(tree, 1, "", bytes32(uint256(1)), 1);
    }

    /// @notice chain.md 6.4 row 17: taking twice what is there once fails.
    function test_Row17_Free_revertsForAnEmptySlot() external {
        bytes32 hash = ProviderTree.slotHash(bytes32("deal"), 1, bytes32("root"), 7);
        ProviderTree.Tree memory tree;
        tree = this.fill(tree, 0, "", hash, 7);
        tree = this.free(tree, 0, "", hash, 7);
        vm.expectPartialRevert(ProviderTree.TreePathMismatch.selector);
        this.free(tree, 0, "", hash, 7);
        vm.expectRevert(abi.encodeWithSelector(ProviderTree.TreeSlotOutside.selector, 1, 1));
        this.free(tree, 1, "", hash, 7);
    }

    function test_Fill_revertsForATakenSlot() external {
        ProviderTree.Tree memory tree;
        bytes32 hash = ProviderTree.slotHash(bytes32("deal"), 1, bytes32("root"), 7);
        tree = this.fill(tree, 0, "", hash, 7);
        vm.expectPartialRevert(ProviderTree.TreePathMismatch.selector);
        this.fill(tree, 0, "", hash, 7);
    }

    function test_Fill_revertsForPathsOfAnotherLength() external {
        ProviderTree.Tree memory tree;
        vm.expectRevert(abi.encodeWithSelector(ProviderTree.TreePathLength.selector, 0, 40));
        this.fill(tree, 0, new bytes(40), bytes32(uint256(1)), 1);
        vm.expectRevert(abi.encodeWithSelector(ProviderTree.TreePathLength.selector, 0, 1));
        this.fill(tree, 0, new bytes(1), bytes32(uint256(1)), 1);
    }

    function test_Fill_revertsWhenWeightsOverflow() external {
        ProviderTree.Tree memory tree;
        bytes32 hash = ProviderTree.slotHash(bytes32("deal"), 1, bytes32("root"), type(uint64).max);
        tree = this.fill(tree, 0, "", hash, type(uint64).max);
        vm.expectRevert(ProviderTree.TreeWeightOverflow.selector);
        this.fill(tree, 1, abi.encodePacked(hash, type(uint64).max), bytes32(uint256(1)), 1);
    }

    function test_Fill_revertsAtTheDeepestFullTree() external {
        ProviderTree.Tree memory tree;
        tree.depth = 32;
        tree.slotCount = uint40(1) << 32;
        vm.expectRevert(ProviderTree.TreeFull.selector);
        this.fill(tree, uint256(1) << 32, "", bytes32(uint256(1)), 1);
    }

    function fill(
        ProviderTree.Tree memory tree,
        uint256 slot,
        bytes calldata path,
        bytes32 hash,
        uint64 leaves
    ) external pure returns (ProviderTree.Tree memory) {
        ProviderTree.fill(tree, slot, path, hash, leaves);
        return tree;
    }

    function free(
        ProviderTree.Tree memory tree,
        uint256 slot,
        bytes calldata path,
        bytes32 hash,
        uint64 leaves
    ) external pure returns (ProviderTree.Tree memory) {
        ProviderTree.free(tree, slot, path, hash, leaves);
        return tree;
    }
}
