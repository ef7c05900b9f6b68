// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

/// @notice A token that keeps a part of every transfer and may call somebody during one.
contract OddToken {
    mapping(address owner => uint256 amount) public balanceOf;
    uint256 private _fee;
    address private _target;
    bytes private _data;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    /// @param fee Of every 1000.
    function setFee(uint256 fee) external {
        _fee = fee;
    }

    function callBack(address target, bytes calldata data) external {
        (_target, _data) = (target, data);
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        return _move(msg.sender, to, amount);
    }

    /// @dev Everybody approves everybody.
    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        return _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) private returns (bool) {
        balanceOf[from] -= amount;
        balanceOf[to] += amount - amount * _fee / 1000;
        if (_target != address(0)) {
            (bool success, bytes memory reason) = _target.call(_data);
            if (!success) {
                assembly ("memory-safe") {
                    revert(add(reason, 32), mload(reason))
                }
            }
        }
        return true;
    }
}
