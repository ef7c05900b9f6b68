// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IProofLedger} from "./interfaces/IProofLedger.sol";
import {IProviderRegistry} from "./interfaces/IProviderRegistry.sol";
import {IVault} from "./interfaces/IVault.sol";

/// @title The providers
/// @notice See IProviderRegistry. Immutable, without an administrator; only a provider's owner account changes
/// its record.
///
/// Invariants: providerOf(operatorOf(p)) = p for every provider p; the sum of all stakes is what the vault holds
/// as stake.
contract ProviderRegistry is IProviderRegistry {
    uint256 private constant ENDPOINT_BYTES_MAX = 255;
    uint256 private constant REGION_BYTES_MAX = 64;

    /// @inheritdoc IProviderRegistry
    address public immutable vault;
    /// @inheritdoc IProviderRegistry
    address public immutable proofs;
    /// @inheritdoc IProviderRegistry
    uint256 public immutable minimumStake;

    struct Record {
        Settings settings;
        uint256 stake;
    }

    mapping(address provider => Record record) private _records;
    /// @inheritdoc IProviderRegistry
    mapping(address operator => address provider) public providerOf;
    address[] private _providers;

    /// @param proofs_ is deployed later: its address is computed from the deployer's nonce.
    constructor(address vault_, address proofs_, uint256 minimumStake_) {
        vault = vault_;
        proofs = proofs_;
        minimumStake = minimumStake_;
    }

    /// @inheritdoc IProviderRegistry
    function register(Settings calldata settings, uint256 stake) external {
        require(!isRegistered(msg.sender), RegistryProviderExists(msg.sender));
        require(stake >= minimumStake, RegistryStakeTooLow(minimumStake, stake));
        _providers.push(msg.sender);
        _apply(settings);
        _records[msg.sender].stake = stake;
        emit ProviderRegistered(msg.sender, settings.operator, settings);
        emit StakeChanged(msg.sender, stake);
        IVault(vault).stake(msg.sender, stake);
    }

    /// @inheritdoc IProviderRegistry
    function update(Settings calldata settings) external {
        Record storage record = _known(msg.sender);
        require(
            !settings.accepting || record.stake >= minimumStake,
            RegistryStakeTooLow(minimumStake, record.stake)
        );
        delete providerOf[record.settings.operator];
        _apply(settings);
        emit ProviderUpdated(msg.sender, settings.operator, settings);
    }

    /// @inheritdoc IProviderRegistry
    function addStake(uint256 amount) external {
        Record storage record = _known(msg.sender);
        record.stake += amount;
        emit StakeChanged(msg.sender, record.stake);
        IVault(vault).stake(msg.sender, amount);
    }

    /// @inheritdoc IProviderRegistry
    function withdrawStake(uint256 amount) external {
        Record storage record = _known(msg.sender);
        (IProofLedger.Snapshot memory tree,) = IProofLedger(proofs).treeOf(msg.sender);
        bool accepting = record.settings.accepting;
        require(!accepting && tree.weight == 0, RegistryStakeLocked(msg.sender, accepting, tree.weight));
        require(amount <= record.stake, RegistryStakeTooLow(amount, record.stake));
        record.stake -= amount;
        emit StakeChanged(msg.sender, record.stake);
        IVault(vault).unstake(msg.sender, amount);
    }

    /// @inheritdoc IProviderRegistry
    function operatorOf(address provider) external view returns (address operator, bool accepting) {
        Settings storage settings = _records[provider].settings;
        operator = settings.operator;
        require(operator != address(0), RegistryProviderUnknown(provider));
        accepting = settings.accepting;
    }

    /// @inheritdoc IProviderRegistry
    function getProvider(address provider) external view returns (Settings memory settings, uint256 stake) {
        Record storage record = _known(provider);
        return (record.settings, record.stake);
    }

    /// @inheritdoc IProviderRegistry
    function isRegistered(address provider) public view returns (bool) {
        return _records[provider].settings.operator != address(0);
    }

    /// @inheritdoc IProviderRegistry
    function providerCount() external view returns (uint256) {
        return _providers.length;
    }

    /// @inheritdoc IProviderRegistry
    function providerAt(uint256 index) external view returns (address) {
        return _providers[index];
    }

    function _known(address provider) private view returns (Record storage record) {
        record = _records[provider];
        require(record.settings.operator != address(0), RegistryProviderUnknown(provider));
    }

    /// @notice Checks and stores settings of the sender, whose former operator is already forgotten.
    function _apply(Settings calldata settings) private {
        address operator = settings.operator;
        require(operator != address(0), RegistryOperatorZero());
        require(providerOf[operator] == address(0), RegistryOperatorTaken(operator, providerOf[operator]));
        uint256 size = bytes(settings.endpoint).length;
        require(
            size != 0 && size <= ENDPOINT_BYTES_MAX, RegistryTextLength("endpoint", ENDPOINT_BYTES_MAX, size)
        );
        size = bytes(settings.region).length;
        require(size <= REGION_BYTES_MAX, RegistryTextLength("region", REGION_BYTES_MAX, size));
        IVault(vault).tokenIndex(settings.token);
        providerOf[operator] = msg.sender;
        _records[msg.sender].settings = settings;
    }
}
