// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {ProvenPeriods} from "../src/libraries/ProvenPeriods.sol";
import {Base} from "./support/Base.sol";

/// @notice The log of proven periods against a plain list.
contract ProvenPeriodsTest is Base {
    using ProvenPeriods for ProvenPeriods.Log;

    ProvenPeriods.Log private _log;
    uint64[] private _marked;

    /// @param steps Distances between proven periods: mostly short, now and then across words.
    function testFuzz_Count_agreesWithAList(uint16[24] memory steps, uint64[8] memory asked) external {
        uint64 period = 0;
        for (uint256 i = 0; i < steps.length; i++) {
            period += steps[i] % 4 == 0 ? steps[i] : steps[i] % 5;
            if (i > 0 && _marked.length > 0 && _marked[_marked.length - 1] == period) period++;
            _log.mark(_log.newest, period, 0);
            _marked.push(period);
        }
        for (uint256 i = 0; i < asked.length; i++) {
            uint64 from = asked[i] % (period + 200);
            uint64 to = from + (asked[i] >> 32) % 400;
            compare(from, to);
            compare(from, type(uint64).max);
        }
        compare(0, period);
        compare(0, period + 1);
        for (uint256 i = 0; i < _marked.length; i++) {
            vm.assertTrue(_log.has(_marked[i]), "marked");
            compare(_marked[i], _marked[i] + 1);
            compare(_marked[i] + 1, _marked[i] + 129);
        }
    }

    function test_Count_atWordBoundaries() external {
        uint64[7] memory list = [uint64(0), 127, 128, 255, 256, 1600, 1601];
        for (uint256 i = 0; i < list.length; i++) {
            _log.mark(_log.newest, list[i], 0);
            _marked.push(list[i]);
        }
        for (uint64 from = 0; from < 1700; from += 53) {
            for (uint64 to = from; to < 1700; to += 47) {
                compare(from, to);
            }
        }
        vm.assertTrue(!_log.has(129) && !_log.has(800) && !_log.has(5000), "not marked");
    }

    function test_Count_ofNothing() external view {
        vm.assertEq(_log.countBetween(_log.newest, 0, type(uint64).max), 0, "none");
        vm.assertTrue(!_log.has(0), "not even the first");
    }

    function test_Count_ofFullWords() external {
        for (uint64 i = 0; i < 480; i++) {
            _log.mark(_log.newest, i, 0);
        }
        vm.assertEq(_log.countBetween(_log.newest, 0, 480), 480, "all");
        vm.assertEq(_log.countBetween(_log.newest, 100, 300), 200, "across words");
    }

    function compare(uint64 from, uint64 to) private view {
        uint256 expected;
        for (uint256 i = 0; i < _marked.length; i++) {
            if (_marked[i] >= from && _marked[i] < to) expected++;
        }
        vm.assertEq(_log.countBetween(_log.newest, from, to), expected, "count");
    }
}
