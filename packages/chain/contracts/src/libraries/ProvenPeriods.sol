// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

/// @notice Which periods a provider proved, so that counting them in any range never walks history. Periods
/// are marked in increasing order; a mark among the last few can be taken back. 128 periods share a word together
/// with the count of all marks before it; the newest word lives apart from the older ones, and words that never
/// had a mark do not exist. The newest word also carries what proving and settling must know of the provider, so
/// that both read one word.
///
/// word, lowest first = marks 128 | older words 25 | marks before 32 | index 25 | place of the last period 7 |
/// flags 5 | unused 2 | terminatedAt 32
library ProvenPeriods {
    uint256 internal constant BITS = 128;

    /// @dev The last period was shown on chain, or taken back: nothing of it is owed.
    uint256 internal constant AUDITED = 1 << 217;
    /// @dev An audit of the last period is owed whatever chance says.
    uint256 internal constant FORCED = 1 << 218;
    /// @dev An audit of the next committed period will be owed.
    uint256 internal constant FORCE_NEXT = 1 << 219;
    /// @dev Disputes are open.
    uint256 internal constant HELD = 1 << 220;
    /// @dev There is a last period.
    uint256 internal constant ANY = 1 << 221;

    uint256 private constant MARKS = (1 << BITS) - 1;
    uint256 private constant TERMINATED_AT = 224;
    /// @dev What stays when a new word begins.
    uint256 private constant LASTING = HELD | uint256(type(uint32).max) << TERMINATED_AT;
    /// @dev What was said of the period that is no longer the last.
    uint256 private constant PASSING = 0x7f << 210 | AUDITED | FORCED | FORCE_NEXT;

    struct Log {
        uint256 newest;
        mapping(uint256 position => uint256 word) older;
    }

    /// @notice Marks `period`, which is after the last one.
    /// @param word The newest word.
    /// @param flags AUDITED or FORCED or none; FORCE_NEXT ends here.
    function mark(Log storage log, uint256 word, uint64 period, uint256 flags) internal {
        uint256 index = period / BITS;
        uint256 place = period % BITS;
        if (_index(word) != index) {
            uint256 marks = word & MARKS;
            uint256 before = _before(word);
            uint256 older = _older(word);
            if (marks != 0) {
                log.older[older] = word;
                before += _ones(marks);
                older++;
            }
            word = older << 128 | before << 153 | index << 185 | word & LASTING;
        }
        log.newest = word & ~PASSING | uint256(1) << place | place << 210 | flags | ANY;
    }

    /// @notice Takes back the mark of a period that lies less than BITS before the last one.
    function unmark(Log storage log, uint64 period) internal {
        uint256 index = period / BITS;
        uint256 bit = uint256(1) << (period % BITS);
        uint256 word = log.newest;
        if (_index(word) == index) {
            log.newest = word & ~bit;
        } else {
            log.older[_older(word) - 1] &= ~bit;
            log.newest = word - (1 << 153);
        }
    }

    /// @notice The last period that was marked, taken back or not.
    function last(uint256 word) internal pure returns (uint64) {
        unchecked {
            return uint64(_index(word) * BITS + ((word >> 210) & 0x7f));
        }
    }

    /// @notice Whether the last period is still marked.
    function isLastMarked(uint256 word) internal pure returns (bool) {
        return word & ANY != 0 && (word >> ((word >> 210) & 0x7f)) & 1 == 1;
    }

    function terminatedAt(uint256 word) internal pure returns (uint32) {
        return uint32(word >> TERMINATED_AT);
    }

    function withTerminatedAt(uint256 word, uint32 ended) internal pure returns (uint256) {
        return word | uint256(ended) << TERMINATED_AT;
    }

    function has(Log storage log, uint64 period) internal view returns (bool) {
        uint256 word = _wordAt(log, period / BITS);
        return _index(word) == period / BITS && (word >> (period % BITS)) & 1 == 1;
    }

    /// @notice The number of marked periods p with from <= p < to, for from <= to. Reads one word when `from` is
    /// not before the newest, as in a deal that is settled now and then; else up to two binary searches over
    /// the words that had a mark.
    /// @param word The newest word.
    function countBetween(Log storage log, uint256 word, uint64 from, uint64 to)
        internal
        view
        returns (uint64)
    {
        uint256 first = _index(word) * BITS;
        if (from < first) return _countBefore(log, to) - _countBefore(log, from);
        unchecked {
            // Shifts by 256 or more give zero, and zero minus one all ones: both are what is meant.
            uint256 range = (uint256(1) << (to - from)) - 1;
            return uint64(_ones((word & MARKS) >> (from - first) & range));
        }
    }

    function _countBefore(Log storage log, uint64 period) private view returns (uint64) {
        uint256 index = period / BITS;
        uint256 word = _wordAt(log, index);
        uint256 marks = word & MARKS;
        if (_index(word) == index) marks &= (uint256(1) << (period % BITS)) - 1;
        return uint64(_before(word) + _ones(marks));
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

    function _index(uint256 word) private pure returns (uint256) {
        return (word >> 185) & 0x1ffffff;
    }

    function _before(uint256 word) private pure returns (uint256) {
        return uint32(word >> 153);
    }

    function _older(uint256 word) private pure returns (uint256) {
        return (word >> 128) & 0x1ffffff;
    }

    /// @notice The number of ones among the lowest 128 bits: pairs, nibbles, bytes, then the sum of all bytes.
    function _ones(uint256 bits) private pure returns (uint256) {
        unchecked {
            bits -= (bits >> 1) & 0x55555555555555555555555555555555;
            bits = (bits & 0x33333333333333333333333333333333)
                + ((bits >> 2) & 0x33333333333333333333333333333333);
            bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f;
            return ((bits * 0x01010101010101010101010101010101) >> 120) & 0xff;
        }
    }
}
