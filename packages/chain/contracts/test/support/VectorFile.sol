// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {Base} from "./Base.sol";

/// @notice Reads a file of vectors/ case by case. The generator writes one case per line, which is far faster to
/// read than the whole.
abstract contract VectorFile is Base {
    string private _path;
    string internal _case;

    function open(string memory name) internal returns (uint256 count) {
        _path = string.concat("../../../vectors/", name, ".json");
        vm.closeFile(_path);
        count = vm.parseJsonUint(vm.readFile(_path), ".count");
        vm.assertGe(count, 3, "the file has cases");
        string memory heading = vm.readLine(_path);
        while (keccak256(bytes(heading)) != keccak256('"cases": [')) heading = vm.readLine(_path);
    }

    function next() internal {
        bytes memory line = bytes(vm.readLine(_path));
        if (line[line.length - 1] == ",") line[line.length - 1] = " ";
        _case = string(line);
    }

    function flag(string memory key) internal view returns (bool) {
        return vm.parseJsonBool(_case, string.concat(".", key));
    }

    function number(string memory key) internal view returns (uint256) {
        return vm.parseJsonUint(_case, string.concat(".", key));
    }

    function word(string memory key) internal view returns (bytes32) {
        return vm.parseJsonBytes32(_case, string.concat(".", key));
    }

    function data(string memory key) internal view returns (bytes memory) {
        return vm.parseJsonBytes(_case, string.concat(".", key));
    }

    function account(string memory key) internal view returns (address) {
        return vm.parseJsonAddress(_case, string.concat(".", key));
    }

    function text(string memory key) internal view returns (string memory) {
        return vm.parseJsonString(_case, string.concat(".", key));
    }

    /// @notice The EIP-712 domain of the case.
    function domain() internal view returns (bytes32) {
        bytes32 kind =
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        return keccak256(
            abi.encode(
                kind, keccak256("Holdfast"), keccak256("1"), number("chainId"), account("verifyingContract")
            )
        );
    }
}
