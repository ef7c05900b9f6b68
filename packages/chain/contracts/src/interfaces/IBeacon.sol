// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {ScheduleParams} from "../types/ScheduleParams.sol";

/// @notice One verified random seed per period for the whole network. Anybody posts; nobody chooses: the
/// drand round is fixed by the period. A period whose seed does not come within the window is void.
interface IBeacon {
    /// @notice The seed of a period is known from now on.
    event SeedPosted(uint64 indexed period, uint64 round, bytes32 seed);

    /// @notice A precompile that the verification needs is absent or computes something else.
    error BeaconPrecompileMissing(address precompile);
    /// @notice The public key is not a point of the right group, or it is the point at infinity.
    error BeaconKeyInvalid();
    /// @notice Needs genesis <= now, 0 < period, seedDelay + drandPeriod < window <= period, 0 < drandPeriod.
    error BeaconScheduleInvalid();
    error BeaconPeriodNotStarted(uint64 period, uint256 start);
    error BeaconWindowClosed(uint64 period, uint256 deadline);
    error BeaconSeedExists(uint64 period);
    /// @notice Not a signature of this round under the network's key: 128 bytes, EIP-2537 G1 point.
    error BeaconSignatureInvalid(uint64 round);

    /// @notice Verifies the seed of `period` and hands it to the ledger. By anybody, between the period's start and its deadline.
    /// @param signature drand signature of `roundFor(period)` as a 128-byte EIP-2537 G1 point.
    function postSeed(uint64 period, bytes calldata signature) external;

    /// @notice The seed of a period, zero when it has none.
    function seedOf(uint64 period) external view returns (bytes32);

    /// @notice The drand round that seeds `period`.
    function roundFor(uint64 period) external view returns (uint64);

    /// @notice The network's clock; the other contracts copy it when they are constructed.
    function schedule() external view returns (ScheduleParams memory);

    /// @notice The ledger that keeps the seeds.
    function proofs() external view returns (address);

    /// @notice The 256-byte EIP-2537 G2 point under which rounds verify.
    function publicKey() external view returns (bytes memory);
}
