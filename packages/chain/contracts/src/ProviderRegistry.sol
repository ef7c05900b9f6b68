// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IProofLedger} from "./interfaces/IProofLedger.sol";
import {IProviderRegistry} from "./interfaces/IProviderRegistry.sol";
import {IVault} from "./interfaces/IVault.sol";

/// @title The providers
/// @notice See IProviderRegistry. Immutable, without an administrator; only a provider's owner account changes
/// its record.
///
/// Invariants: providerOf(operatorOf(p)) = p for every provider p, here and in the ledger; the sum of all stakes is what the vault holds
/// as stake.
contract ProviderRegistry is IProviderRegistry {
    uint256 private constant ENDPOINT_BYTES_MAX = 255;
    uint256 private constant REGION_BYTES_MAX = 64;

    /// @inheritdoc IProviderRegistry
    address public immutable vault;
    /// @inheritdoc IProviderRegistry
    address public immutable proofs;
    /// @inheritdoc IProviderRegistry
    address public immutable disputes;
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

    /// @param proofs_ and
    /// @param disputes_ are deployed later: their addresses are computed from the deployer's nonce.
    constructor(address vault_, address proofs_, address disputes_, uint256 minimumStake_) {
        vault = vault_;
        proofs = proofs_;
        disputes = disputes_;
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
        require(
            !settings.accepting || IProofLedger(proofs).terminatedAt(msg.sender) == 0,
            RegistryProviderTerminated(msg.sender)
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
        bool accepting = record.settings.accepting;
        bool idle = IProofLedger(proofs).isIdle(msg.sender);
        require(!accepting && idle, RegistryStakeLocked(msg.sender, accepting, idle));
        require(amount <= record.stake, RegistryStakeTooLow(amount, record.stake));
        record.stake -= amount;
        emit StakeChanged(msg.sender, record.stake);
        IVault(vault).unstake(msg.sender, amount);
    }

    /// @inheritdoc IProviderRegistry
    function slash(address provider, uint256 amount, address reporter) external returns (uint256 slashed) {
        require(msg.sender == disputes, RegistryCallerNotDisputes(msg.sender));
        Record storage record = _known(provider);
        uint256 stake = record.stake;
        slashed = amount < stake ? amount : stake;
        record.stake = stake - slashed;
        emit StakeChanged(provider, stake - slashed);
        if (stake - slashed < minimumStake) _stop(provider, record);
        IVault(vault).slash(reporter, slashed / 2, slashed - slashed / 2);
    }

    /// @inheritdoc IProviderRegistry
    function retire(address provider) external {
        require(msg.sender == proofs, RegistryCallerNotProofs(msg.sender));
        _stop(provider, _known(provider));
    }

    /// @inheritdoc IProviderRegistry
    function beneficiaryOf(address provider) external view returns (address) {
        address named = _records[provider].settings.beneficiary;
        return named == address(0) ? provider : named;
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

    function _stop(address provider, Record storage record) private {
        if (!record.settings.accepting) return;
        record.settings.accepting = false;
        emit ProviderStopped(provider);
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
        address former = _records[msg.sender].settings.operator;
        _records[msg.sender].settings = settings;
        if (former != operator) IProofLedger(proofs).setOperator(msg.sender, former, operator);
    }
}
