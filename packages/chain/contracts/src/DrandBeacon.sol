// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IBeacon} from "./interfaces/IBeacon.sol";
import {IProofLedger} from "./interfaces/IProofLedger.sol";
import {Bls} from "./libraries/Bls.sol";
import {Challenge} from "./libraries/Challenge.sol";
import {Schedule} from "./libraries/Schedule.sol";
import {ScheduleParams} from "./types/ScheduleParams.sol";

/// @title Seeds from drand
/// @notice See IBeacon. Fails closed: the constructor computes known answers with every precompile and reverts
/// where one is missing; a seed reaches the ledger, which keeps it, only after its signature verified.
///
/// Invariant: seedOf(p) != 0 implies that drand's signature of round(p) was verified, while
/// start(p) <= block time < start(p) + window.
contract DrandBeacon is IBeacon {
    uint64 private immutable GENESIS;
    uint64 private immutable PERIOD;
    uint64 private immutable WINDOW;
    uint64 private immutable SEED_DELAY;
    uint64 private immutable DRAND_GENESIS;
    uint64 private immutable DRAND_PERIOD;

    bytes32 private immutable KEY_0;
    bytes32 private immutable KEY_1;
    bytes32 private immutable KEY_2;
    bytes32 private immutable KEY_3;
    bytes32 private immutable KEY_4;
    bytes32 private immutable KEY_5;
    bytes32 private immutable KEY_6;
    bytes32 private immutable KEY_7;

    /// @inheritdoc IBeacon
    address public immutable proofs;

    /// @param publicKey_ drand's group key as a 256-byte EIP-2537 G2 point (x.c0, x.c1, y.c0, y.c1).
    /// @param proofs_ is deployed later: its address is computed from the deployer's nonce.
    constructor(ScheduleParams memory params, bytes memory publicKey_, address proofs_) {
        require(
            params.genesis <= block.timestamp && params.drandPeriod != 0 && params.period != 0
                && params.window <= params.period
                && uint256(params.seedDelay) + params.drandPeriod < params.window,
            BeaconScheduleInvalid()
        );
        _probe();
        _checkKey(publicKey_);
        proofs = proofs_;
        GENESIS = params.genesis;
        PERIOD = params.period;
        WINDOW = params.window;
        SEED_DELAY = params.seedDelay;
        DRAND_GENESIS = params.drandGenesis;
        DRAND_PERIOD = params.drandPeriod;
        bytes32[8] memory key = abi.decode(publicKey_, (bytes32[8]));
        (KEY_0, KEY_1, KEY_2, KEY_3) = (key[0], key[1], key[2], key[3]);
        (KEY_4, KEY_5, KEY_6, KEY_7) = (key[4], key[5], key[6], key[7]);
    }

    /// @inheritdoc IBeacon
    function postSeed(uint64 period, bytes calldata signature) external {
        uint256 start = Schedule.periodStart(GENESIS, PERIOD, period);
        require(block.timestamp >= start, BeaconPeriodNotStarted(period, start));
        require(block.timestamp < start + WINDOW, BeaconWindowClosed(period, start + WINDOW));
        require(seedOf(period) == 0, BeaconSeedExists(period));

        uint64 round = roundFor(period);
        bytes32 message = sha256(abi.encodePacked(round));
        require(Bls.verify(message, signature, publicKey()), BeaconSignatureInvalid(round));

        bytes32 seed = Challenge.seedOf(block.chainid, address(this), round, signature);
        emit SeedPosted(period, round, seed);
        IProofLedger(proofs).acceptSeed(period, seed);
    }

    /// @inheritdoc IBeacon
    function seedOf(uint64 period) public view returns (bytes32) {
        return IProofLedger(proofs).seedOf(period);
    }

    /// @inheritdoc IBeacon
    function roundFor(uint64 period) public view returns (uint64) {
        return Schedule.roundFor(schedule(), period);
    }

    /// @inheritdoc IBeacon
    function schedule() public view returns (ScheduleParams memory) {
        return ScheduleParams(GENESIS, PERIOD, WINDOW, SEED_DELAY, DRAND_GENESIS, DRAND_PERIOD);
    }

    /// @inheritdoc IBeacon
    function publicKey() public view returns (bytes memory) {
        return abi.encodePacked(KEY_0, KEY_1, KEY_2, KEY_3, KEY_4, KEY_5, KEY_6, KEY_7);
    }

    /// @dev hashToG1 of the zero message uses modexp, map and add; its value was computed with @noble/curves.
    bytes32 private constant ZERO_MESSAGE_POINT_HASH =
        0xc1a19a680db1d5eb7fd93c305c87f15c0d6e2890d173e803d2fb4b01e0f89e88;

    /// @notice Known answers: e(G1, -G2) e(-G1, -G2) = 1, e(G1, -G2)^2 != 1, and one hash to the curve.
    function _probe() private view {
        bytes memory pair = abi.encodePacked(Bls.G1_GENERATOR, Bls.G2_GENERATOR_NEGATED);
        bytes memory inverse = abi.encodePacked(Bls.G1_GENERATOR_NEGATED, Bls.G2_GENERATOR_NEGATED);
        require(
            Bls.pairingIsOne(abi.encodePacked(pair, inverse))
                && !Bls.pairingIsOne(abi.encodePacked(pair, pair)),
            BeaconPrecompileMissing(Bls.PAIRING)
        );
        require(
            keccak256(Bls.hashToG1(0)) == ZERO_MESSAGE_POINT_HASH, BeaconPrecompileMissing(Bls.MAP_FP_TO_G1)
        );
    }

    /// @notice The pairing precompile refuses what is not on the curve or in the group.
    function _checkKey(bytes memory key) private view {
        require(key.length == 256 && keccak256(key) != keccak256(new bytes(256)), BeaconKeyInvalid());
        (bool success, bytes memory result) = Bls.PAIRING.staticcall(abi.encodePacked(Bls.G1_GENERATOR, key));
        require(success && result.length == 32, BeaconKeyInvalid());
    }
}
