// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

/// @notice Which periods of a provider are under dispute, in one word: how many disputes are open against each of
/// eight periods, and the first of them. While a dispute is open nothing 8 or more periods later is proven, so the
/// eight places never collide.
///
/// word, lowest first = open against period p with p mod 8 = 0 .. 7, 8 bits each | all open 8 | first period 32
library HeldPeriods {
    uint256 internal constant SPAN = 8;
    uint256 internal constant OPEN_MAX = 64;

    function open(uint256 word) internal pure returns (uint256) {
        return uint8(word >> 64);
    }

    /// @notice The first disputed period, when there is one.
    function first(uint256 word) internal pure returns (uint64) {
        return uint32(word >> 72);
    }

    function has(uint256 word, uint64 period) internal pure returns (bool) {
        return open(word) != 0 && period >= first(word) && period < first(word) + SPAN
            && uint8(word >> (8 * (period % SPAN))) != 0;
    }

    function add(uint256 word, uint64 period) internal pure returns (uint256) {
        bool isFirst = open(word) == 0 || period < first(word);
        if (isFirst) word = uint256(uint72(word)) | uint256(period) << 72;
        return word + (uint256(1) << (8 * (period % SPAN))) + (1 << 64);
    }

    function remove(uint256 word, uint64 period) internal pure returns (uint256) {
        word -= (uint256(1) << (8 * (period % SPAN))) + (1 << 64);
        if (open(word) == 0) return 0;
        uint64 next = first(word);
        while (uint8(word >> (8 * (next % SPAN))) == 0) {
            next++;
        }
        return uint256(uint72(word)) | uint256(next) << 72;
    }
}
