// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

/// @notice The network's clock, fixed at deployment, in seconds of block time.
/// @param genesis Start of period 0.
/// @param period Length of a period, P.
/// @param window An answer for period p must be on chain before start(p) + window.
/// @param seedDelay The seed of p is the first drand round at least this long after start(p).
/// @param drandGenesis Time of drand round 1.
/// @param drandPeriod Time between drand rounds.
struct ScheduleParams {
    uint64 genesis;
    uint64 period;
    uint64 window;
    uint64 seedDelay;
    uint64 drandGenesis;
    uint64 drandPeriod;
}
