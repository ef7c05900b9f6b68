// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

/// @notice Which periods a provider proved, so that counting them in any range never walks history. Periods
/// are marked in increasing order. 160 periods share a word together with the count of all periods proven
/// before it; the newest word lives apart from the older ones, and words without a proven period do not exist.
///
/// word = index 32 | count before 32 | older words 32 | bits 160, highest first
library ProvenPeriods {
    uint256 internal constant BITS = 160;
    uint256 private constant BITS_MASK = (1 << BITS) - 1;

    struct Log {
        uint256 newest;
        mapping(uint256 position => uint256 word) older;
    }

    /// @notice Marks `period` as proven. Needs a later period than any marked before, or the same word.
    function mark(Log storage log, uint64 period) internal {
        uint256 word = log.newest;
        uint256 index = period / BITS;
        uint256 bit = uint256(1) << (period % BITS);
        if (word & BITS_MASK == 0) {
            log.newest = _pack(index, 0, 0, bit);
        } else if (_index(word) == index) {
            log.newest = word | bit;
        } else {
            uint256 position = _older(word);
            log.older[position] = word;
            log.newest = _pack(index, _before(word) + _ones(word & BITS_MASK), position + 1, bit);
        }
    }

    function has(Log storage log, uint64 period) internal view returns (bool) {
        uint256 word = _wordAt(log, period / BITS);
        return _index(word) == period / BITS && (word >> (period % BITS)) & 1 == 1;
    }

    /// @notice The number of proven periods p with from <= p < to, for from <= to. Reads one word when `from` is
    /// not before the newest, as in a deal that is settled now and then; else up to two binary searches over
    /// the words that have a proven period.
    function countBetween(Log storage log, uint64 from, uint64 to) internal view returns (uint64) {
        uint256 word = log.newest;
        uint256 first = _index(word) * BITS;
        if (from < first) return _countBefore(log, to) - _countBefore(log, from);
        unchecked {
            // Shifts by 256 or more give zero, and zero minus one all ones: both are what is meant.
            uint256 range = (uint256(1) << (to - from)) - 1;
            return uint64(_ones((word & BITS_MASK) >> (from - first) & range));
        }
    }

    function _countBefore(Log storage log, uint64 period) private view returns (uint64) {
        uint256 index = period / BITS;
        uint256 word = _wordAt(log, index);
        uint256 bits = word & BITS_MASK;
        if (_index(word) == index) bits &= (uint256(1) << (period % BITS)) - 1;
        return uint64(_before(word) + _ones(bits));
    }

    /// @notice The last word at or before `index`; 0 when there is none.
    function _wordAt(Log storage log, uint256 index) private view returns (uint256 word) {
        word = log.newest;
        if (_index(word) <= index) return word;
        uint256 low = 0;
        uint256 high = _older(word);
        word = 0;
        while (low < high) {
            uint256 middle = (low + high) / 2;
            uint256 candidate = log.older[middle];
            if (_index(candidate) <= index) {
                word = candidate;
                low = middle + 1;
            } else {
                high = middle;
            }
        }
    }

    function _pack(uint256 index, uint256 before, uint256 older, uint256 bits)
        private
        pure
        returns (uint256)
    {
        return index << 224 | before << 192 | older << BITS | bits;
    }

    function _index(uint256 word) private pure returns (uint256) {
        return word >> 224;
    }

    function _before(uint256 word) private pure returns (uint256) {
        return uint32(word >> 192);
    }

    function _older(uint256 word) private pure returns (uint256) {
        return uint32(word >> BITS);
    }

    /// @notice The number of ones among the lowest 160 bits: pairs, nibbles, bytes, then the sum of all bytes.
    function _ones(uint256 bits) private pure returns (uint256) {
        unchecked {
            bits -= (bits >> 1) & 0x5555555555555555555555555555555555555555555555555555555555555555;
            bits = (bits & 0x3333333333333333333333333333333333333333333333333333333333333333)
                + ((bits >> 2) & 0x3333333333333333333333333333333333333333333333333333333333333333);
            bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f;
            return (bits * 0x0101010101010101010101010101010101010101010101010101010101010101) >> 248;
        }
    }
}
