// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

/// @notice Holds every token and knows nothing of deals: free balances per token and owner, what the market
/// holds in deals, what the registry holds as stake, bonds of disputes, and fees. Deposits count what arrived; withdrawals are pulled.
interface IVault {
    /// @notice `amount` is what arrived, which may be less than what was sent.
    event Deposited(address indexed token, address indexed owner, uint256 amount, address from);
    event Withdrawn(address indexed token, address indexed owner, uint256 amount, address to);
    event Claimed(
        address indexed token, address indexed provider, address indexed beneficiary, uint256 amount
    );
    event FeesWithdrawn(address indexed token, uint256 amount, address to);

    error VaultTokenUnknown(address token);
    error VaultTokenListInvalid();
    error VaultAddressZero();
    error VaultCallerNotMarket(address caller);
    error VaultCallerNotRegistry(address caller);
    error VaultCallerNotDisputes(address caller);
    error VaultCallerNotFeeAccount(address caller);
    error VaultBalanceTooLow(address owner, uint256 needed, uint256 available);
    error VaultNothingReceived(address token);
    /// @notice The permit failed and the sender is not the token's owner.
    error VaultPermitRefused(address owner);

    /// @notice Takes `amount` of `token` from the sender and credits what arrives to `owner`.
    function deposit(address token, address owner, uint256 amount) external returns (uint256 received);

    /// @notice Deposits by ERC-2612 permit, by anybody, and always to the signer's own balance.
    function depositWithPermit(
        address token,
        address owner,
        uint256 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (uint256 received);

    /// @notice Sends `amount` of the sender's free balance to `to`.
    function withdraw(address token, uint256 amount, address to) external;

    /// @notice Sends collected fees to `to`. Only the fee account.
    function withdrawFees(address token, uint256 amount, address to) external;

    /// @notice Moves deposit and collateral of a deal from free balances into what the market holds. Only the market.
    /// @return index The token's place in `tokens()`.
    function lock(address token, address client, uint256 deposit_, address provider, uint256 collateral)
        external
        returns (uint8 index);

    /// @notice Returns what a closed deal still holds to both parties. Only the market.
    /// @param index The token's place in `tokens()`.
    function release(uint8 index, address client, uint256 refund, address provider, uint256 collateral)
        external;

    /// @notice Moves free balance of `owner` in the default token into stake. Only the registry.
    function stake(address owner, uint256 amount) external;

    /// @notice Moves stake back to the free balance of `owner`. Only the registry.
    function unstake(address owner, uint256 amount) external;

    /// @notice Takes `reward + forfeited` out of stake: a reward for `to`, the rest for the fee account. Only the
    /// registry.
    function slash(address to, uint256 reward, uint256 forfeited) external;

    /// @notice Moves free balance of `owner` in the default token into a bond. Only the disputes.
    function bond(address owner, uint256 amount) external;

    /// @notice Takes `amount + forfeited` out of bonds: for `to`, and for the fee account. Only the disputes.
    function unbond(address to, uint256 amount, uint256 forfeited) external;

    /// @notice Credits what a provider's settled deals earned to its beneficiary. By anybody.
    function claim(address token, address provider) external returns (uint256 amount);

    /// @notice Free balance with what settled deals earned, in base units of the token.
    function balanceOf(address token, address owner) external view returns (uint256);

    /// @notice What the market holds: escrow and collateral of deals, and earnings and fees not yet moved.
    function heldOf(address token) external view returns (uint256);

    /// @notice What the registry holds as stake. Only the default token has any.
    function stakedOf(address token) external view returns (uint256);

    /// @notice What is put up in open disputes. Only the default token has any.
    function bondedOf(address token) external view returns (uint256);

    /// @notice All that the fee account ever got in a token, withdrawn or not: fees, and its parts of collateral,
    /// slashes and bonds.
    function feesCollected(address token) external view returns (uint256);

    /// @notice Fees not yet withdrawn.
    function feesAvailable(address token) external view returns (uint256);

    /// @notice The accepted tokens, the default (stake) token first. Never changes.
    function tokens() external view returns (address[] memory);

    function tokenAt(uint8 index) external view returns (address);

    /// @notice The place of `token` in `tokens()`; reverts when it is not there.
    function tokenIndex(address token) external view returns (uint8);

    function market() external view returns (address);

    function registry() external view returns (address);

    function disputes() external view returns (address);

    function feeAccount() external view returns (address);
}
