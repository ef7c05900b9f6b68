// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

/// @notice Money from rates and periods; every division rounds down, in favour of whoever pays.
/// Twin: packages/protocol/src/pricing.ts.
library Pricing {
    /// @notice Rates are token base units per second times this.
    uint256 internal constant RATE_SCALE = 1e12;
    uint256 internal constant MONTH_SECONDS = 2_592_000;
    uint256 internal constant TIB = 1 << 40;
    uint256 internal constant BPS = 10_000;
    uint32 internal constant PERIODS_MAX = type(uint32).max;

    /// @notice The rate of a payload of `length` bytes under a provider's prices.
    function rateFor(uint256 length, uint256 pricePerTibMonth, uint256 provingFeeMonth)
        internal
        pure
        returns (uint256)
    {
        return (pricePerTibMonth * length + provingFeeMonth * TIB) * RATE_SCALE / (TIB * MONTH_SECONDS);
    }

    /// @notice What `periods` periods cost. The product has at most 128 + 64 + 32 bits.
    function costOf(uint128 rate, uint64 period, uint32 periods) internal pure returns (uint256) {
        unchecked {
            return uint256(rate) * period * periods / RATE_SCALE;
        }
    }

    /// @notice The part of a gross payment that is the fee.
    function feeOf(uint256 paid, uint256 feeBps) internal pure returns (uint256) {
        return paid * feeBps / BPS;
    }

    /// @notice The most periods whose cost is within `deposit` (below 2^200), at most 2^32 - 1.
    function fundedPeriods(uint256 deposit, uint128 rate, uint64 period) internal pure returns (uint32) {
        uint256 perPeriod = uint256(rate) * period;
        if (perPeriod == 0) return PERIODS_MAX;
        uint256 funded = ((deposit + 1) * RATE_SCALE - 1) / perPeriod;
        return funded < PERIODS_MAX ? uint32(funded) : PERIODS_MAX;
    }
}
