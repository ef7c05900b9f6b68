// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IBeacon} from "../src/interfaces/IBeacon.sol";
import {Bls} from "../src/libraries/Bls.sol";
import {Challenge} from "../src/libraries/Challenge.sol";
import {Schedule} from "../src/libraries/Schedule.sol";
import {ScheduleParams} from "../src/types/ScheduleParams.sol";
import {Base} from "./support/Base.sol";
import {Creator} from "./support/Creator.sol";

/// @notice The beacon with drand's real key and two of its real rounds. The test stands in for the ledger: it keeps
/// what the beacon hands over.
contract DrandBeaconTest is Base {
    address private constant G2_ADD = address(0x0d);

    mapping(uint64 period => bytes32 seed) public seedOf;

    string private _json;
    bytes private _key;
    Creator private _creator;

    function acceptSeed(uint64 period, bytes32 seed) external {
        seedOf[period] = seed;
    }

    function setUp() external {
        _json = vm.readFile("../../../vectors/drand-quicknet.json");
        _key = vm.parseJsonBytes(_json, ".publicKeyPoint");
        _creator = new Creator();
    }

    function test_Post_acceptsRealRounds() external {
        for (uint256 i = 0; i < 2; i++) {
            uint64 round = uint64(number(i, "round"));
            IBeacon beacon = beaconFor(round);
            delete seedOf[0];
            vm.assertEq(beacon.roundFor(0), round, "round");
            bytes memory point = bytesOf(i, "point");
            vm.expectEmit();
            bytes32 seed = Challenge.seedOf(block.chainid, address(beacon), round, point);
            emit IBeacon.SeedPosted(0, round, seed);
            beacon.postSeed(0, point);
            vm.assertEq(beacon.seedOf(0), seed, "seed");
        }
    }

    /// @notice chain.md 6.4 row 2: nothing but the round of the period seeds it.
    function test_Row2_Post_revertsForAnotherRound() external {
        IBeacon beacon = beaconFor(1000);
        refuse(beacon, 1000, bytesOf(1, "point"));
        beacon = beaconFor(1001);
        refuse(beacon, 1001, bytesOf(0, "point"));
    }

    function test_Post_revertsForOtherSignatures() external {
        IBeacon beacon = beaconFor(1000);
        bytes memory point = bytesOf(0, "point");
        for (uint256 i = 0; i < 128; i += 7) {
            bytes memory spoilt = bytes.concat(point);
            spoilt[i] ^= 0x01;
            refuse(beacon, 1000, spoilt);
        }
        refuse(beacon, 1000, Bls.G1_GENERATOR);
        refuse(beacon, 1000, abi.encodePacked(point, uint8(0)));
        refuse(beacon, 1000, bytesOf(0, "signature"));
        refuse(beacon, 1000, "");
    }

    function test_Post_revertsForInfinityAndForeignGroup() external {
        IBeacon beacon = beaconFor(1000);
        refuse(beacon, 1000, new bytes(128));
        refuse(beacon, 1000, vm.parseJsonBytes(_json, ".notInGroup"));
    }

    /// @notice What is refused there is a point of the curve: G1ADD, which looks at nothing else, takes it. The
    /// pairing looks at the group. The same for a key on G2.
    function test_ForeignGroup_isOnTheCurve() external {
        bytes memory point = vm.parseJsonBytes(_json, ".notInGroup");
        (bool added, bytes memory sum) = Bls.G1_ADD.staticcall(abi.encodePacked(point, new bytes(128)));
        vm.assertTrue(added && keccak256(sum) == keccak256(point), "a point of the curve of G1");
        bytes memory pair = abi.encodePacked(point, Bls.G2_GENERATOR_NEGATED);
        (bool paired,) = Bls.PAIRING.staticcall{gas: 10_000_000}(pair);
        vm.assertTrue(!paired, "outside of G1");
        bytes32 message = sha256(abi.encodePacked(uint64(1000)));
        vm.assertTrue(!this.verify{gas: 20_000_000}(message, point), "signs nothing");

        bytes memory key = vm.parseJsonBytes(_json, ".keyNotInGroupPoint");
        (added, sum) = G2_ADD.staticcall(abi.encodePacked(key, new bytes(256)));
        vm.assertTrue(added && keccak256(sum) == keccak256(key), "a point of the curve of G2");
        (paired,) = Bls.PAIRING.staticcall{gas: 10_000_000}(abi.encodePacked(Bls.G1_GENERATOR, key));
        vm.assertTrue(!paired, "outside of G2");
    }

    /// @notice The field's prime added to x is the same point in another encoding: two seeds for one round.
    function test_Post_revertsForUnreducedCoordinates() external {
        bytes memory point = bytesOf(0, "point");
        (uint256 high, uint256 low,,) = abi.decode(point, (uint256, uint256, uint256, uint256));
        unchecked {
            uint256 sum = low + 0x64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab;
            high += 0x1a0111ea397fe69a4b1ba7b6434bacd7 + (sum < low ? 1 : 0);
            low = sum;
        }
        bytes memory same = bytes.concat(point);
        assembly ("memory-safe") {
            mstore(add(same, 32), high)
            mstore(add(same, 64), low)
        }
        refuse(beaconFor(1000), 1000, same);
    }

    function test_Post_revertsOutsideTheWindow() external {
        IBeacon beacon = beaconFor(1000);
        bytes memory point = bytesOf(0, "point");
        uint256 start = beacon.schedule().genesis;
        vm.expectRevert(abi.encodeWithSelector(IBeacon.BeaconPeriodNotStarted.selector, 1, start + 100));
        beacon.postSeed(1, point);
        vm.warp(start + 40);
        vm.expectRevert(abi.encodeWithSelector(IBeacon.BeaconWindowClosed.selector, 0, start + 40));
        beacon.postSeed(0, point);
        vm.warp(start + 39);
        beacon.postSeed(0, point);
    }

    function test_Post_revertsTheSecondTime() external {
        IBeacon beacon = beaconFor(1000);
        bytes memory point = bytesOf(0, "point");
        beacon.postSeed(0, point);
        vm.expectRevert(abi.encodeWithSelector(IBeacon.BeaconSeedExists.selector, 0));
        beacon.postSeed(0, point);
    }

    /// @notice chain.md 6.4 row 5: on a chain without the precompiles there is no beacon, not a guessable one.
    /// forge-config: default.evm_version = "cancun"
    function test_Row5_Construct_revertsWithoutPrecompiles() external {
        vm.warp(paramsFor(1000).genesis);
        bytes memory code = creationCode(paramsFor(1000), _key);
        vm.expectRevert(abi.encodeWithSelector(Bls.BlsPrecompileFailed.selector, Bls.PAIRING));
        _creator.create(code);
    }

    /// @notice Row 5 again: where a precompile is missing, nothing verifies.
    /// forge-config: default.evm_version = "cancun"
    function test_Row5_Verify_revertsWithoutPrecompiles() external {
        bytes memory point = bytesOf(0, "point");
        bytes32 message = sha256(abi.encodePacked(uint64(1000)));
        vm.expectRevert(abi.encodeWithSelector(Bls.BlsPrecompileFailed.selector, Bls.MAP_FP_TO_G1));
        this.verify(message, point);
    }

    function test_Verify_acceptsARealRound() external view {
        bytes32 message = sha256(abi.encodePacked(uint64(1000)));
        vm.assertTrue(this.verify(message, bytesOf(0, "point")), "round 1000");
    }

    /// @notice The same point signs nothing else, and under no other key.
    function test_Verify_refusesAnotherMessageOrKey() external {
        bytes memory point = bytesOf(0, "point");
        bytes32[3] memory others = [
            sha256(abi.encodePacked(uint64(1001))),
            sha256(abi.encodePacked(uint256(1000))),
            keccak256(abi.encodePacked(uint64(1000)))
        ];
        for (uint256 i = 0; i < 3; i++) {
            vm.assertTrue(!this.verify(others[i], point), "another message");
        }
        bytes32 message = sha256(abi.encodePacked(uint64(1000)));
        _key = Bls.G2_GENERATOR_NEGATED;
        vm.assertTrue(!this.verify(message, point), "another key");
    }

    /// @notice Something at a precompile's address that only looks like one: the known answers find it out.
    /// forge-config: default.evm_version = "cancun"
    function test_Construct_revertsForPrecompilesThatLie() external {
        vm.warp(paramsFor(1000).genesis);
        bytes memory code = creationCode(paramsFor(1000), _key);
        // Every product of pairings is one.
        vm.etch(Bls.PAIRING, hex"60015f5260205ff3");
        vm.expectRevert(abi.encodeWithSelector(IBeacon.BeaconPrecompileMissing.selector, Bls.PAIRING));
        _creator.create(code);
        // It is when the two points differ; and every message is hashed to infinity.
        vm.etch(Bls.PAIRING, hex"6101e0356060351415" hex"5f5260205ff3");
        vm.etch(Bls.MAP_FP_TO_G1, hex"60805ff3");
        vm.etch(Bls.G1_ADD, hex"60805ff3");
        vm.expectRevert(abi.encodeWithSelector(IBeacon.BeaconPrecompileMissing.selector, Bls.MAP_FP_TO_G1));
        _creator.create(code);
    }

    function test_Construct_revertsForBadKeys() external {
        bytes[5] memory bad = [
            vm.parseJsonBytes(_json, ".keyNotInGroupPoint"),
            new bytes(256),
            abi.encodePacked(_key, uint8(0)),
            bytes(""),
            abi.encodePacked(new bytes(255), uint8(1))
        ];
        for (uint256 i = 0; i < bad.length; i++) {
            bytes memory code = creationCode(paramsFor(1000), bad[i]);
            vm.expectRevert(IBeacon.BeaconKeyInvalid.selector);
            // A precompile that refuses its input takes all the gas it was given.
            _creator.create{gas: 30_000_000}(code);
        }
    }

    function test_Construct_revertsForBadSchedules() external {
        ScheduleParams memory good = paramsFor(1000);
        ScheduleParams[7] memory bad;
        for (uint256 i = 0; i < 7; i++) {
            bad[i] = abi.decode(abi.encode(good), (ScheduleParams));
        }
        bad[0].genesis = uint64(vm.getBlockTimestamp() + 1);
        bad[1].period = 0;
        bad[2].window = 101;
        bad[3].window = 0;
        bad[4].seedDelay = 37;
        bad[5].drandPeriod = 0;
        bad[6].seedDelay = type(uint64).max;
        for (uint256 i = 0; i < 7; i++) {
            bytes memory code = creationCode(bad[i], _key);
            vm.expectRevert(IBeacon.BeaconScheduleInvalid.selector);
            _creator.create(code);
        }
        _creator.create(creationCode(good, _key));
    }

    function test_Views_returnWhatWasGiven() external {
        IBeacon beacon = beaconFor(1000);
        vm.assertEq(beacon.publicKey(), _key, "key");
        vm.assertEq(abi.encode(beacon.schedule()), abi.encode(paramsFor(1000)), "schedule");
    }

    function testFuzz_Round_isTheFirstAfterTheDelay(
        uint32 genesis,
        uint16 period,
        uint16 delay,
        uint32 drandGenesis,
        uint8 drandPeriod,
        uint32 of_
    ) external pure {
        vm.assume(drandPeriod != 0);
        ScheduleParams memory params = ScheduleParams(genesis, period, 1, delay, drandGenesis, drandPeriod);
        uint64 round = Schedule.roundFor(params, of_);
        uint256 notBefore = uint256(genesis) + uint256(of_) * period + delay;
        vm.assertGe(Schedule.roundTime(params, round), notBefore, "not before the delay");
        if (round > 1) {
            vm.assertLe(Schedule.roundTime(params, round - 1) + 1, notBefore, "the first such");
        }
    }

    function verify(bytes32 message, bytes memory signature) external view returns (bool) {
        return Bls.verify(message, signature, _key);
    }

    function refuse(IBeacon beacon, uint64 round, bytes memory signature) private {
        vm.expectRevert(abi.encodeWithSelector(IBeacon.BeaconSignatureInvalid.selector, round));
        // A precompile that refuses its input takes all the gas it was given.
        beacon.postSeed{gas: 10_000_000}(0, signature);
    }

    /// @notice A schedule whose period 0 is seeded by `round`.
    function paramsFor(uint64 round) private pure returns (ScheduleParams memory) {
        uint64 time = 1_692_803_367 + (round - 1) * 3;
        return ScheduleParams(time - 10, 100, 40, 10, 1_692_803_367, 3);
    }

    function beaconFor(uint64 round) private returns (IBeacon) {
        ScheduleParams memory params = paramsFor(round);
        vm.warp(params.genesis);
        return IBeacon(_creator.create(creationCode(params, _key)));
    }

    function creationCode(ScheduleParams memory params, bytes memory key)
        private
        view
        returns (bytes memory)
    {
        return abi.encodePacked(vm.getCode("DrandBeacon.sol"), abi.encode(params, key, address(this)));
    }

    function number(uint256 index, string memory key) private view returns (uint256) {
        return vm.parseJsonUint(_json, string.concat(".rounds[", vm.toString(index), "].", key));
    }

    function bytesOf(uint256 index, string memory key) private view returns (bytes memory) {
        return vm.parseJsonBytes(_json, string.concat(".rounds[", vm.toString(index), "].", key));
    }
}
