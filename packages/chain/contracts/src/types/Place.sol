// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

/// @notice Where a disputed entry stands, in one word, because every byte of an answer costs 40 gas:
/// provider 20 bytes | period 7 | class 1 | i 4, big endian. The deal of the class deal is in the answer itself.
type Place is bytes32;

using {provider, period, class, i} for Place global;

function provider(Place self) pure returns (address) {
    return address(bytes20(Place.unwrap(self)));
}

function period(Place self) pure returns (uint64) {
    return uint64(uint56(uint256(Place.unwrap(self)) >> 40));
}

function class(Place self) pure returns (uint8) {
    return uint8(uint256(Place.unwrap(self)) >> 32);
}

function i(Place self) pure returns (uint32) {
    return uint32(uint256(Place.unwrap(self)));
}
