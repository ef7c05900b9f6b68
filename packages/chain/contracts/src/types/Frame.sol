// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

/// @notice What stays of a deal's terms and place, one storage word: rate 128 | start 32 | end 32 | slot 32 |
/// token 8 | flags, lowest first. Packed by hand for the same reason as Progress.
type Frame is uint256;

using {rate, start, end, slot, token, has, withFlag, withoutFlag, withEnd, withSlot} for Frame global;

/// @dev A declared fault lasts.
uint256 constant FAULTED = 1 << 232;
/// @dev The deal occupies its slot of the provider's tree.
uint256 constant IN_TREE = 1 << 233;
uint256 constant CLOSED = 1 << 234;
/// @dev A fault, lasting or over, is not settled through: nothing is paid from its payEnd on before it is.
uint256 constant GAP = 1 << 235;
/// @dev The deal has an Extra.
uint256 constant EXTRA = 1 << 236;
/// @dev Somebody gave notice, or both agreed to end.
uint256 constant NOTICE = 1 << 237;

/// @dev Periods below 2^32. The deal is in the tree.
function toFrame(uint128 rate_, uint256 start_, uint256 end_, uint32 slot_, uint8 token_)
    pure
    returns (Frame)
{
    return Frame.wrap(
        uint256(rate_) | start_ << 128 | end_ << 160 | uint256(slot_) << 192 | uint256(token_) << 224
            | IN_TREE
    );
}

function rate(Frame self) pure returns (uint128) {
    return uint128(Frame.unwrap(self));
}

function start(Frame self) pure returns (uint32) {
    return uint32(Frame.unwrap(self) >> 128);
}

function end(Frame self) pure returns (uint32) {
    return uint32(Frame.unwrap(self) >> 160);
}

function slot(Frame self) pure returns (uint32) {
    return uint32(Frame.unwrap(self) >> 192);
}

function token(Frame self) pure returns (uint8) {
    return uint8(Frame.unwrap(self) >> 224);
}

function has(Frame self, uint256 flag) pure returns (bool) {
    return Frame.unwrap(self) & flag != 0;
}

function withFlag(Frame self, uint256 flag) pure returns (Frame) {
    return Frame.wrap(Frame.unwrap(self) | flag);
}

function withoutFlag(Frame self, uint256 flag) pure returns (Frame) {
    return Frame.wrap(Frame.unwrap(self) & ~flag);
}

function withEnd(Frame self, uint256 end_) pure returns (Frame) {
    return Frame.wrap(Frame.unwrap(self) & ~(uint256(type(uint32).max) << 160) | uint256(end_) << 160);
}

function withSlot(Frame self, uint256 slot_) pure returns (Frame) {
    return Frame.wrap(Frame.unwrap(self) & ~(uint256(type(uint32).max) << 192) | slot_ << 192);
}
