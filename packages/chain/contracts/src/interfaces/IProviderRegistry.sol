// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

/// @notice Who the providers are: the owner account is the identity; an operator key signs and proves for it.
interface IProviderRegistry {
    /// @param operator Signs deals, proves, declares faults. Serves one provider only.
    /// @param beneficiary Gets what the provider's deals earn; zero for the owner itself.
    /// @param tlsKeyHash SHA-256 of the TLS certificate's SubjectPublicKeyInfo.
    /// @param endpoint host:port of the gRPC listener, 1 to 255 bytes.
    /// @param region At most 64 bytes.
    /// @param token The token that prices are in; on the vault's list.
    /// @param pricePerTibMonth Per 2^40 bytes and 2,592,000 seconds.
    /// @param provingFeeMonth Flat, per deal.
    /// @param egressPerTib Per 2^40 bytes read.
    /// @param accepting False: no deal opens with this provider.
    struct Settings {
        address operator;
        address beneficiary;
        bytes32 tlsKeyHash;
        string endpoint;
        string region;
        address token;
        uint128 pricePerTibMonth;
        uint128 provingFeeMonth;
        uint128 egressPerTib;
        bool accepting;
    }

    event ProviderRegistered(address indexed provider, address indexed operator, Settings settings);
    event ProviderUpdated(address indexed provider, address indexed operator, Settings settings);
    /// @notice `stake` is the new total.
    event StakeChanged(address indexed provider, uint256 stake);
    /// @notice A slash left less than the minimum, or the provider was terminated: no deal opens with it until its
    /// owner adds stake and accepts again; never, after a termination.
    event ProviderStopped(address indexed provider);

    error RegistryProviderExists(address provider);
    error RegistryProviderUnknown(address provider);
    error RegistryOperatorZero();
    error RegistryOperatorTaken(address operator, address provider);
    error RegistryTextLength(string field, uint256 most, uint256 actual);
    error RegistryStakeTooLow(uint256 minimum, uint256 actual);
    /// @notice Stake leaves only when the provider accepts no deals and is idle in the ledger.
    error RegistryStakeLocked(address provider, bool accepting, bool idle);
    error RegistryProviderTerminated(address provider);
    error RegistryCallerNotDisputes(address caller);
    error RegistryCallerNotProofs(address caller);

    /// @notice Registers the sender and locks `stake` of its free balance in the vault's default token.
    function register(Settings calldata settings, uint256 stake) external;

    /// @notice Replaces the sender's settings.
    function update(Settings calldata settings) external;

    function addStake(uint256 amount) external;

    function withdrawStake(uint256 amount) external;

    /// @notice Takes up to `amount` of a provider's stake, half of it (rounded down) for `reporter`, the rest for
    /// the fee account. Only the disputes.
    function slash(address provider, uint256 amount, address reporter) external returns (uint256 slashed);

    /// @notice The provider was terminated and accepts no deals for good. Only the ledger.
    function retire(address provider) external;

    /// @notice The operator of a provider; reverts when it is not registered.
    function operatorOf(address provider) external view returns (address operator, bool accepting);

    /// @notice Who gets what a provider's deals earn: the beneficiary it named, else the account itself.
    function beneficiaryOf(address provider) external view returns (address);

    /// @notice The provider an operator works for, zero for none.
    function providerOf(address operator) external view returns (address);

    /// @notice Settings and stake; reverts when the provider is not registered.
    function getProvider(address provider) external view returns (Settings memory settings, uint256 stake);

    function isRegistered(address provider) external view returns (bool);

    /// @notice Number of providers ever registered, for paging with `providerAt`.
    function providerCount() external view returns (uint256);

    function providerAt(uint256 index) external view returns (address);

    function minimumStake() external view returns (uint256);

    function vault() external view returns (address);

    function proofs() external view returns (address);

    function disputes() external view returns (address);
}
