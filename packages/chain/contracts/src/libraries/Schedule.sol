// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {ScheduleParams} from "../types/ScheduleParams.sol";

/// @notice Periods, deadlines and drand rounds. Periods are half-open: a boundary belongs to the period it
/// starts. Twin: packages/protocol/src/schedule.ts.
library Schedule {
    error ScheduleBeforeGenesis(uint256 time, uint256 genesis);

    /// @notice The period that contains `time`.
    function periodAt(uint256 genesis, uint256 period, uint256 time) internal pure returns (uint64) {
        require(time >= genesis, ScheduleBeforeGenesis(time, genesis));
        return uint64((time - genesis) / period);
    }

    function periodStart(uint256 genesis, uint256 period, uint64 of_) internal pure returns (uint256) {
        return genesis + uint256(of_) * period;
    }

    /// @notice An answer for the period must be on chain before this time.
    function periodDeadline(uint256 genesis, uint256 period, uint256 window, uint64 of_)
        internal
        pure
        returns (uint256)
    {
        return periodStart(genesis, period, of_) + window;
    }

    /// @notice The first drand round at least `seedDelay` after the start of the period.
    function roundFor(ScheduleParams memory params, uint64 of_) internal pure returns (uint64) {
        uint256 notBefore = periodStart(params.genesis, params.period, of_) + params.seedDelay;
        if (notBefore <= params.drandGenesis) return 1;
        uint256 since = notBefore - params.drandGenesis;
        return uint64((since + params.drandPeriod - 1) / params.drandPeriod + 1);
    }

    /// @notice When drand publishes a round. Rounds start at 1.
    function roundTime(ScheduleParams memory params, uint64 round) internal pure returns (uint256) {
        return params.drandGenesis + (uint256(round) - 1) * params.drandPeriod;
    }
}
