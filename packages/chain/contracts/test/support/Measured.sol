// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {Bundles} from "./Bundles.sol";

/// @notice Measures whole transactions, twice: as they are charged (EIP-7623, which since Prague asks at least 10 gas per
/// zero byte and 40 per other byte of calldata), in snapshots/gas.json, and under the rules before, in
/// snapshots/gas-without-floor.json. Tests that use it run isolated, each call a transaction of its own. No measured
/// transaction may be above 2^24 gas (EIP-7825), which the test chain does not enforce.
abstract contract Measured is Bundles {
    uint256 internal constant TRANSACTION_GAS_MAX = 1 << 24;

    function start(uint256 challenges) internal {
        deployNetwork(challenges);
        registerProvider();
        fund(client, 1_000_000e6);
        fund(provider, 1_000_000e6);
    }

    /// @notice Sends a call by itself, once without the floor and once as it is charged.
    /// @return gas As it is charged.
    /// @return without What it would be charged without the floor.
    function measure(string memory name, uint256 limit, address from, address to, bytes memory data)
        internal
        returns (uint256 gas, uint256 without)
    {
        uint256 before = vm.snapshotState();
        vm.setEvmVersion("cancun");
        send(from, to, data);
        without = vm.snapshotGasLastCall("gas-without-floor", name);
        vm.setEvmVersion("prague");
        vm.revertToState(before);
        send(from, to, data);
        gas = vm.snapshotGasLastCall("gas", name);
        vm.assertLe(gas, limit, name);
        vm.assertLe(without, gas, "the floor only adds");
        vm.assertTrue(gas == without || gas == floorOf(data), "either execution or bytes are paid");
        vm.assertLe(gas, TRANSACTION_GAS_MAX, "EIP-7825");
    }

    function send(address from, address to, bytes memory data) internal {
        vm.prank(from);
        (bool success, bytes memory result) = to.call(data);
        if (!success) {
            assembly ("memory-safe") {
                revert(add(result, 32), mload(result))
            }
        }
    }

    /// @notice The least that a transaction with these bytes costs since Prague.
    function floorOf(bytes memory data) internal pure returns (uint256 gas) {
        gas = 21_000;
        for (uint256 i = 0; i < data.length; i++) {
            gas += data[i] == 0 ? 10 : 40;
        }
    }

    /// @notice The same for a call that exists only since Prague: what it costs without the floor is known when it is
    /// execution that is paid.
    function measureNow(string memory name, uint256 limit, address from, address to, bytes memory data)
        internal
    {
        send(from, to, data);
        uint256 gas = vm.snapshotGasLastCall("gas", name);
        vm.assertTrue(gas > floorOf(data), "execution is paid");
        vm.snapshotValue("gas-without-floor", name, gas);
        vm.assertLe(gas, limit, name);
    }
}
