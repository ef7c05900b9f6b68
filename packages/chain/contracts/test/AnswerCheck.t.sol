// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {AnswerCheck} from "../src/libraries/AnswerCheck.sol";
import {ProviderTree} from "../src/libraries/ProviderTree.sol";
import {Base} from "./support/Base.sol";
import {PayloadTree} from "./support/PayloadTree.sol";
import {SlotReference} from "./support/SlotReference.sol";

contract AnswerCheckTest is Base {
    uint64 private constant LEAVES = 11;
    bytes32 private constant NAME = "payload";

    SlotReference private _slots;

    function setUp() external {
        _slots = new SlotReference();
        for (uint256 i = 0; i < 5; i++) {
            bytes32 name = bytes32(i);
            uint64 leaves = uint64(3 * i + 1);
            if (i == 2) (name, leaves) = (NAME, LEAVES);
            _slots.put(i, keccak256(abi.encode(i)), PayloadTree.root(name, leaves), leaves);
        }
        _slots.put(3, 0, 0, 0);
    }

    function test_Verify_acceptsEveryLeaf() external view {
        (bytes32 root,) = _slots.root();
        for (uint256 leaf = 0; leaf < LEAVES; leaf++) {
            this.verify(answer(leaf), root, 3, 5 + leaf);
        }
    }

    function test_Verify_revertsForEveryOtherPosition() external {
        (bytes32 root, uint64 weight) = _slots.root();
        bytes memory good = answer(4);
        for (uint256 position = 0; position < weight; position++) {
            if (position != 5 + 4) refuse(good, root, position);
        }
    }

    /// @notice chain.md 6.4 row 1: at no level does an inner node pass as a leaf, with a path cut to fit, in a
    /// deal that claims fewer leaves, nor padded to the length of a leaf.
    function test_Row1_Verify_revertsForInnerNodesAtEveryLevel() external {
        (bytes32 treeRoot,) = _slots.root();
        bytes32 root = PayloadTree.root(NAME, LEAVES);
        for (uint256 level = 1; level <= 4; level++) {
            bytes memory children = abi.encodePacked(
                PayloadTree.node(NAME, LEAVES, level - 1, 0), PayloadTree.node(NAME, LEAVES, level - 1, 1)
            );
            bytes memory siblings;
            for (uint256 up = level; up < 4; up++) {
                siblings = abi.encodePacked(siblings, PayloadTree.node(NAME, LEAVES, up, 1));
            }
            // The bare preimage of the node where 1024 leaf bytes belong.
            refuse(abi.encodePacked(head(root, LEAVES), children, siblings), treeRoot, 5);
            // Padded to a leaf's length.
            bytes memory padded = abi.encodePacked(children, new bytes(960));
            refuse(abi.encodePacked(head(root, LEAVES), padded, siblings), treeRoot, 5);
            // And with the number of leaves that this path would fit.
            uint64 fewer = uint64(1 << (4 - level));
            refuse(abi.encodePacked(head(root, fewer), padded, siblings), treeRoot, 5);
        }
    }

    function test_Verify_revertsForALeafOfAnotherDeal() external {
        (bytes32 root,) = _slots.root();
        bytes32 other = PayloadTree.root(bytes32(uint256(1)), 4);
        bytes memory forged = abi.encodePacked(head(other, 4), PayloadTree.opening(bytes32(uint256(1)), 4, 0));
        vm.expectPartialRevert(AnswerCheck.AnswerTreeMismatch.selector);
        this.verify(forged, root, 3, 5);
    }

    function test_Verify_revertsBesideTheTree() external {
        (bytes32 root,) = _slots.root();
        bytes memory good = answer(0);
        good[73] = 0x01;
        vm.expectPartialRevert(AnswerCheck.AnswerSlotOutside.selector);
        this.verify(good, root, 3, 5);
    }

    /// @notice Any byte counts: flipping one refuses the answer.
    function testFuzz_Verify_revertsForAnyChange(uint256 index, uint8 change, uint256 leaf) external {
        leaf = leaf % LEAVES;
        bytes memory spoilt = answer(leaf);
        vm.assume(change != 0);
        spoilt[index % spoilt.length] ^= bytes1(change);
        (bytes32 root,) = _slots.root();
        vm.expectRevert();
        this.verify(spoilt, root, 3, 5 + leaf);
    }

    function testFuzz_Verify_revertsForAnyOtherLength(uint16 length) external {
        bytes memory good = answer(0);
        vm.assume(length != good.length && length < 4000);
        bytes memory other = new bytes(length);
        for (uint256 i = 0; i < length && i < good.length; i++) {
            other[i] = good[i];
        }
        (bytes32 root,) = _slots.root();
        vm.expectRevert();
        this.verify(other, root, 3, 5);
    }

    function verify(bytes calldata data, bytes32 root, uint256 depth, uint256 position) external view {
        AnswerCheck.verify(data, root, depth, position);
    }

    function refuse(bytes memory data, bytes32 root, uint256 position) private {
        vm.expectRevert();
        this.verify(data, root, 3, position);
    }

    function head(bytes32 root, uint64 leaves) private view returns (bytes memory) {
        SlotReference.Slot memory held = _slots.slotAt(2);
        return abi.encodePacked(held.deal, uint8(1), root, leaves, uint32(2), _slots.path(2));
    }

    function answer(uint256 leaf) private view returns (bytes memory) {
        bytes32 root = PayloadTree.root(NAME, LEAVES);
        return abi.encodePacked(head(root, LEAVES), PayloadTree.opening(NAME, LEAVES, leaf));
    }
}
