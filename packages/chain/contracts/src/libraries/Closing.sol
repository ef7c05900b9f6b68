// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

/// @notice Where the money of a deal goes at its end. Docs: docs/spec/settlement.md section 6.
///
/// paid + refund = deposit;   compensation + returned + forfeited = collateral;   compensation <= replacementCost
library Closing {
    /// @param refund Escrow for the client.
    /// @param compensation Collateral for the client.
    /// @param returned Collateral for the provider.
    /// @param forfeited Collateral for the fee account.
    struct Split {
        uint256 refund;
        uint256 compensation;
        uint256 returned;
        uint256 forfeited;
    }

    /// @param deposit With everything that was added to it.
    /// @param charged What misses and faults cost, before the collateral limits it.
    /// @param lost Ended by a long fault or by the termination of the provider.
    function split(
        uint256 deposit,
        uint256 paid,
        uint256 collateral,
        uint256 charged,
        uint256 replacementCost,
        bool lost
    ) internal pure returns (Split memory result) {
        uint256 charge = charged < collateral ? charged : collateral;
        uint256 seized = lost ? collateral : charge;
        uint256 part = lost ? seized : charge / 2;
        result.refund = deposit - paid;
        result.compensation = part < replacementCost ? part : replacementCost;
        result.returned = collateral - seized;
        result.forfeited = seized - result.compensation;
    }
}
