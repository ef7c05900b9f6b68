// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

/// @notice What a settlement changes in a deal, one storage word: provider 160 | settledThrough 32 | proven 32 |
/// payEnd 32, lowest first. Packed by hand so that it is read once and written once: the compiler writes
/// struct fields one by one (500 gas per settlement).
///
/// settledThrough: settled periods are before it. proven: paid periods so far. payEnd: periods to be paid are
/// before it (the end, or the first faulted period).
type Progress is uint256;

using {provider, settledThrough, proven, payEnd, isNone, withSettled, withPayEnd} for Progress global;

/// @dev All periods below 2^32; the market refuses deals that end later.
function toProgress(address provider_, uint256 settledThrough_, uint256 proven_, uint256 payEnd_)
    pure
    returns (Progress)
{
    return Progress.wrap(uint160(provider_) | settledThrough_ << 160 | proven_ << 192 | payEnd_ << 224);
}

function provider(Progress self) pure returns (address) {
    return address(uint160(Progress.unwrap(self)));
}

function settledThrough(Progress self) pure returns (uint32) {
    return uint32(Progress.unwrap(self) >> 160);
}

function proven(Progress self) pure returns (uint32) {
    return uint32(Progress.unwrap(self) >> 192);
}

function payEnd(Progress self) pure returns (uint32) {
    return uint32(Progress.unwrap(self) >> 224);
}

function isNone(Progress self) pure returns (bool) {
    return Progress.unwrap(self) == 0;
}

function withSettled(Progress self, uint256 through, uint256 proven_) pure returns (Progress) {
    return toProgress(provider(self), through, proven_, payEnd(self));
}

function withPayEnd(Progress self, uint256 end) pure returns (Progress) {
    return toProgress(provider(self), settledThrough(self), proven(self), end);
}
