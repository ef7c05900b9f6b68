// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

/// @notice From a period's seed to the leaves that are asked for. Reduction from 256 bits: the bias is below
/// 2^-192. Twin: packages/protocol/src/challenge.ts.
library Challenge {
    bytes32 internal constant CHALLENGE_DOMAIN = keccak256("holdfast/challenge/v1");
    bytes32 internal constant SEED_DOMAIN = keccak256("holdfast/seed/v1");

    /// @notice Binds a verified drand signature to this chain and beacon.
    function seedOf(uint256 chainId, address beacon, uint64 round, bytes memory signature)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encodePacked(SEED_DOMAIN, chainId, beacon, round, signature));
    }

    /// @notice What all challenges of one provider in one period derive from.
    function challengeBase(uint256 chainId, address proofs, address provider, uint64 period, bytes32 seed)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encodePacked(CHALLENGE_DOMAIN, chainId, proofs, provider, period, seed));
    }

    /// @notice Position i of the class global in a provider's weight, which must be positive.
    function globalChallenge(bytes32 base, uint32 i, uint64 weight) internal pure returns (uint256) {
        return uint256(keccak256(abi.encodePacked(base, uint8(0), i))) % weight;
    }

    /// @notice Leaf i of the class deal in a deal of `leaves` leaves, which must be positive.
    function dealChallenge(bytes32 base, bytes32 deal, uint32 i, uint64 leaves)
        internal
        pure
        returns (uint256)
    {
        return uint256(keccak256(abi.encodePacked(base, uint8(1), deal, i))) % leaves;
    }
}
