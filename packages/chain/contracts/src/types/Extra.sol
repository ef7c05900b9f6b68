// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

/// @notice What few deals need, one storage word: toppedUp 128 | from 32 | recovered 32 | since 32 | units 32,
/// lowest first. Read only when the frame says so (GAP, EXTRA).
///
/// toppedUp: added to the deposit. from: first unpaid period of the fault that is not settled through yet.
/// recovered: first paid period after it; while a fault lasts, that of the gap which it widened, 0 for none.
/// since: first period of the present fault, which may come after the gap that an earlier one began. units: charged
/// for faults that are settled through.
type Extra is uint256;

using {toppedUp, from, recovered, since, units, withToppedUp, withGap, withoutGap} for Extra global;

function toppedUp(Extra self) pure returns (uint128) {
    return uint128(Extra.unwrap(self));
}

function from(Extra self) pure returns (uint32) {
    return uint32(Extra.unwrap(self) >> 128);
}

function recovered(Extra self) pure returns (uint32) {
    return uint32(Extra.unwrap(self) >> 160);
}

function since(Extra self) pure returns (uint32) {
    return uint32(Extra.unwrap(self) >> 192);
}

function units(Extra self) pure returns (uint32) {
    return uint32(Extra.unwrap(self) >> 224);
}

function withToppedUp(Extra self, uint128 amount) pure returns (Extra) {
    return Extra.wrap(Extra.unwrap(self) & ~uint256(type(uint128).max) | amount);
}

function withGap(Extra self, uint256 from_, uint256 recovered_, uint256 since_) pure returns (Extra) {
    return Extra.wrap(
        toppedUp(self) | from_ << 128 | recovered_ << 160 | since_ << 192 | uint256(units(self)) << 224
    );
}

/// @dev The gap is settled through: its periods become units.
function withoutGap(Extra self) pure returns (Extra) {
    uint256 sum = uint256(units(self)) + recovered(self) - from(self);
    return Extra.wrap(toppedUp(self) | sum << 224);
}
