// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

/// @notice Misses of a provider that were written down, and what they charge. Blocks of 30 periods have 2 free
/// misses each; every further one is 3 units. A block with a miss has a word, in order; it carries the units of all
/// blocks before it, so that any sum is two look-ups. Docs: docs/spec/settlement.md section 4.
///
/// Writing in any order gives the same log. Callers write only periods that are not final and at most one block
/// beyond the first such period; so at most one word has to move, and sums up to a final period never change.
///
/// word, lowest first = misses 30 | units before 64 | block 32
library MissedPeriods {
    uint256 internal constant BLOCK = 30;
    uint256 private constant FREE = 2;
    uint256 private constant UNITS = 3;
    uint256 private constant MISSES = (1 << BLOCK) - 1;

    struct Misses {
        uint256 count;
        mapping(uint256 position => uint256 word) words;
    }

    function has(Misses storage log, uint64 period) internal view returns (bool) {
        (, uint256 word) = _find(log, period / BLOCK);
        return word != 0 && _block(word) == period / BLOCK && (word >> (period % BLOCK)) & 1 == 1;
    }

    /// @notice Writes a miss that is not written yet.
    function write(Misses storage log, uint64 period) internal {
        uint256 block_ = period / BLOCK;
        (uint256 place, uint256 word) = _find(log, block_);
        uint256 bit = uint256(1) << (period % BLOCK);
        if (word == 0 || _block(word) != block_) {
            uint256 before = word == 0 ? 0 : _before(word) + _charge(word & MISSES);
            uint256 target = word == 0 ? 0 : place + 1;
            // A block's first miss is free: words that move keep their sums.
            for (uint256 i = log.count; i > target; i--) {
                log.words[i] = log.words[i - 1];
            }
            log.count++;
            log.words[target] = bit | before << BLOCK | block_ << 94;
            return;
        }
        uint256 added = _charge(word & MISSES | bit) - _charge(word & MISSES);
        log.words[place] = word | bit;
        if (added == 0) return;
        for (uint256 i = place + 1; i < log.count; i++) {
            log.words[i] += added << BLOCK;
        }
    }

    /// @notice Units charged for misses of periods from <= p < to.
    function unitsBetween(Misses storage log, uint64 from, uint64 to) internal view returns (uint64) {
        return to <= from ? 0 : unitsBefore(log, to) - unitsBefore(log, from);
    }

    /// @notice Units charged for misses of periods before `period`.
    function unitsBefore(Misses storage log, uint64 period) internal view returns (uint64) {
        (, uint256 word) = _find(log, period / BLOCK);
        if (word == 0) return 0;
        uint256 misses = word & MISSES;
        if (_block(word) == period / BLOCK) misses &= (uint256(1) << (period % BLOCK)) - 1;
        return uint64(_before(word) + _charge(misses));
    }

    /// @notice The last word at or before `block_` and its place; 0 when there is none. Words are never 0.
    function _find(Misses storage log, uint256 block_) private view returns (uint256 place, uint256 word) {
        uint256 low = 0;
        uint256 high = log.count;
        while (low < high) {
            uint256 middle = (low + high) / 2;
            uint256 candidate = log.words[middle];
            if (_block(candidate) <= block_) {
                (place, word) = (middle, candidate);
                low = middle + 1;
            } else {
                high = middle;
            }
        }
    }

    function _charge(uint256 misses) private pure returns (uint256) {
        uint256 count;
        while (misses != 0) {
            misses &= misses - 1;
            count++;
        }
        return count > FREE ? UNITS * (count - FREE) : 0;
    }

    function _before(uint256 word) private pure returns (uint256) {
        return uint64(word >> BLOCK);
    }

    function _block(uint256 word) private pure returns (uint256) {
        return uint32(word >> 94);
    }
}
