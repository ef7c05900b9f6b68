// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {Closing} from "../src/libraries/Closing.sol";
import {HeldPeriods} from "../src/libraries/HeldPeriods.sol";
import {MissedPeriods} from "../src/libraries/MissedPeriods.sol";
import {ProvenPeriods} from "../src/libraries/ProvenPeriods.sol";
import {Base} from "./support/Base.sol";

/// @notice The arithmetic of settlement against plain lists.
contract SettlementTest is Base {
    using HeldPeriods for uint256;
    using MissedPeriods for MissedPeriods.Misses;
    using ProvenPeriods for ProvenPeriods.Log;
    using ProvenPeriods for uint256;

    MissedPeriods.Misses private _misses;
    MissedPeriods.Misses private _sorted;
    ProvenPeriods.Log private _log;
    mapping(uint64 period => bool) private _has;
    uint64[] private _open;

    /// @notice Whatever the order of reports within what is not final, the log is that of the sorted list.
    function testFuzz_Misses_areTheSameInAnyOrder(uint256 bits, uint256 order) external {
        uint64 base = 0;
        for (uint256 round = 0; round < 6; round++) {
            base += uint64(uint256(keccak256(abi.encode(bits, round))) % 40);
            write(base, uint8(bits >> (8 * round)), uint256(keccak256(abi.encode(order, round))));
        }
        uint64[] memory list = sorted();
        for (uint256 i = 0; i < list.length; i++) {
            _sorted.write(list[i]);
        }
        vm.assertEq(_misses.count, _sorted.count, "words");
        for (uint256 i = 0; i < _misses.count; i++) {
            vm.assertEq(_misses.words[i], _sorted.words[i], "word");
        }
        for (uint64 p = 0; p < base + 40; p += 19) {
            vm.assertEq(_misses.unitsBefore(p), naiveUnits(p), "units");
            vm.assertTrue(_misses.has(p) == _has[p], "has");
            vm.assertEq(_misses.unitsBetween(p / 2, p), naiveUnits(p) - naiveUnits(p / 2), "between");
        }
    }

    /// @notice Writing what is not final leaves every sum up to there as it was.
    function testFuzz_Misses_leaveThePastAlone(uint64 first, uint8 mask) external {
        first %= 1000;
        write(first, 0xff, 1);
        uint64 units = _misses.unitsBefore(first + 8);
        write(first + 8, mask, 2);
        vm.assertEq(_misses.unitsBefore(first + 8), units, "the same");
    }

    function test_Misses_chargeThreeForEachBeyondTwo() external {
        for (uint64 p = 30; p < 36; p++) {
            _misses.write(p);
            vm.assertEq(_misses.unitsBefore(60), p < 32 ? 0 : 3 * (p - 31), "units");
        }
        vm.assertEq(_misses.unitsBetween(33, 35), 6, "the fourth and the fifth");
        vm.assertEq(_misses.unitsBetween(36, 30), 0, "nothing backwards");
        _misses.write(60);
        vm.assertEq(_misses.unitsBefore(90), 12, "a new block has two free ones again");
    }

    /// @notice Open disputes of eight periods: the first, the count, and nothing left in the end.
    function testFuzz_Held_agreesWithAList(uint256 moves, uint64 base) external {
        base %= 1 << 31;
        uint256 word;
        for (uint256 i = 0; i < 60; i++) {
            uint256 move = uint256(keccak256(abi.encode(moves, i)));
            if (move % 3 != 0 && _open.length < 60) {
                uint64 period = lowest(base) + uint64(move >> 8) % 8;
                word = word.add(period);
                _open.push(period);
            } else if (_open.length != 0) {
                uint256 which = (move >> 16) % _open.length;
                word = word.remove(_open[which]);
                _open[which] = _open[_open.length - 1];
                _open.pop();
                if (_open.length == 0) base += 5;
            }
            vm.assertEq(word.open(), _open.length, "count");
            if (_open.length == 0) vm.assertEq(word, 0, "empty");
            else vm.assertEq(word.first(), lowest(base), "first");
            for (uint64 p = 0; p < 10; p++) {
                vm.assertTrue(word.has(lowest(base) + p) == isOpen(lowest(base) + p), "has");
            }
        }
    }

    /// @notice Marks among the last eight can be taken back, over a change of words too.
    function testFuzz_Unmark_agreesWithAList(uint64 first, uint256 marks, uint256 back) external {
        first = 100 + first % 300;
        for (uint64 p = first; p < first + 40; p++) {
            if ((marks >> (p - first)) & 1 == 0) continue;
            _log.mark(_log.newest, p, 0);
            _has[p] = true;
            uint64 target = p - uint64(uint256(keccak256(abi.encode(back, p))) % 8);
            if (target >= first && _has[target] && uint8(back >> (p % 32)) < 80) {
                _log.unmark(target);
                _has[target] = false;
            }
            vm.assertEq(_log.newest.last(), p, "last");
            vm.assertTrue(_log.newest.isLastMarked() == _has[p], "is marked");
        }
        uint256 count;
        for (uint64 p = first; p < first + 40; p++) {
            vm.assertTrue(_log.has(p) == _has[p], "has");
            vm.assertEq(_log.countBetween(_log.newest, first, p), count, "count");
            if (_has[p]) count++;
        }
    }

    /// @notice Escrow and collateral are divided to the unit, and the client gets no more than it signed.
    function testFuzz_Closing_dividesToTheUnit(
        uint128 deposit,
        uint128 paid,
        uint128 collateral,
        uint256 charged,
        uint128 replacementCost,
        bool lost
    ) external pure {
        paid = uint128(bound(paid, 0, deposit));
        Closing.Split memory split = Closing.split(deposit, paid, collateral, charged, replacementCost, lost);
        vm.assertEq(split.refund + paid, deposit, "escrow");
        vm.assertEq(split.compensation + split.returned + split.forfeited, collateral, "collateral");
        vm.assertLe(split.compensation, replacementCost, "compensation");
        if (lost) vm.assertEq(split.returned, 0, "a lost deal costs everything");
        else vm.assertLe(split.compensation * 2, charged, "else at most half of the charge");
    }

    function write(uint64 base, uint8 mask, uint256 order) private {
        for (uint256 i = 0; i < 8; i++) {
            // A permutation of 0 .. 7, since 5 has no divisor in common with 8.
            uint64 p = base + uint64((i * 5 + order) % 8);
            if ((mask >> (p - base)) & 1 == 0 || _has[p]) continue;
            _misses.write(p);
            _has[p] = true;
            _open.push(p);
        }
    }

    function sorted() private view returns (uint64[] memory list) {
        list = _open;
        for (uint256 i = 1; i < list.length; i++) {
            for (uint256 j = i; j > 0 && list[j - 1] > list[j]; j--) {
                (list[j - 1], list[j]) = (list[j], list[j - 1]);
            }
        }
    }

    function naiveUnits(uint64 before) private view returns (uint256 units) {
        for (uint64 block_ = 0; block_ * 30 < before; block_++) {
            uint256 misses;
            for (uint64 p = block_ * 30; p < block_ * 30 + 30 && p < before; p++) {
                if (_has[p]) misses++;
            }
            if (misses > 2) units += 3 * (misses - 2);
        }
    }

    function lowest(uint64 otherwise) private view returns (uint64 period) {
        if (_open.length == 0) return otherwise;
        period = _open[0];
        for (uint256 i = 1; i < _open.length; i++) {
            if (_open[i] < period) period = _open[i];
        }
    }

    function isOpen(uint64 period) private view returns (bool) {
        for (uint256 i = 0; i < _open.length; i++) {
            if (_open[i] == period) return true;
        }
        return false;
    }
}
