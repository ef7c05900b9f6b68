// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IDealMarket} from "./interfaces/IDealMarket.sol";
import {IProviderRegistry} from "./interfaces/IProviderRegistry.sol";
import {IVault} from "./interfaces/IVault.sol";

/// @title Every token of the network
/// @notice See IVault. Immutable, without an administrator. Only the market, the registry and the disputes named at
/// construction move balances between accounts; only an owner takes its own balance out.
///
/// Invariant, per listed token:
///   sum of free balances + heldOf + stakedOf + bondedOf <= token.balanceOf(vault)
/// with equality unless somebody sends tokens without depositing them. What the market holds is the escrow and
/// collateral of its deals, and what it owes for settled periods until it is needed: earnings and fees. They
/// count as balance of their owners at once, but a settlement does not have to write here (5,000 gas). Earnings of
/// a provider that names a beneficiary wait for `claim`. Forfeited stake and bonds are held, as fees.
contract Vault is IVault, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @inheritdoc IVault
    address public immutable market;
    /// @inheritdoc IVault
    address public immutable registry;
    /// @inheritdoc IVault
    address public immutable disputes;
    /// @inheritdoc IVault
    address public immutable feeAccount;

    address[] private _tokens;
    /// @dev Index + 1, so that zero means unknown.
    mapping(address token => uint256 place) private _places;
    mapping(uint8 index => mapping(address owner => uint256 amount)) private _balances;
    mapping(uint8 index => uint256 amount) private _held;
    mapping(uint8 index => uint256 amount) private _feesWithdrawn;
    uint256 private _staked;
    uint256 private _bonded;
    /// @dev All stake and bonds that ever went to the fee account, in token 0.
    uint256 private _forfeited;

    modifier onlyMarket() {
        require(msg.sender == market, VaultCallerNotMarket(msg.sender));
        _;
    }

    modifier onlyRegistry() {
        require(msg.sender == registry, VaultCallerNotRegistry(msg.sender));
        _;
    }

    modifier onlyDisputes() {
        require(msg.sender == disputes, VaultCallerNotDisputes(msg.sender));
        _;
    }

    /// @param tokens_ 1 to 255 different token contracts, the default first. No rebasing tokens.
    /// @param registry_ ,
    /// @param disputes_ and
    /// @param market_ are deployed later: their addresses are computed from the deployer's nonce.
    constructor(
        address[] memory tokens_,
        address feeAccount_,
        address registry_,
        address disputes_,
        address market_
    ) {
        require(
            feeAccount_ != address(0) && registry_ != address(0) && disputes_ != address(0)
                && market_ != address(0),
            VaultAddressZero()
        );
        require(tokens_.length > 0 && tokens_.length < 256, VaultTokenListInvalid());
        for (uint256 i = 0; i < tokens_.length; i++) {
            require(tokens_[i].code.length != 0 && _places[tokens_[i]] == 0, VaultTokenListInvalid());
            _places[tokens_[i]] = i + 1;
        }
        _tokens = tokens_;
        feeAccount = feeAccount_;
        registry = registry_;
        disputes = disputes_;
        market = market_;
    }

    /// @inheritdoc IVault
    function deposit(address token, address owner, uint256 amount)
        external
        nonReentrant
        returns (uint256 received)
    {
        received = _take(token, msg.sender, owner, amount);
    }

    /// @inheritdoc IVault
    function depositWithPermit(
        address token,
        address owner,
        uint256 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant returns (uint256 received) {
        tokenIndex(token);
        // Somebody may have used the permit already; then the owner itself still deposits by the allowance it
        // left, but nobody else may use an allowance without showing a valid permit.
        try IERC20Permit(token).permit(owner, address(this), amount, deadline, v, r, s) {}
        catch {
            require(msg.sender == owner, VaultPermitRefused(owner));
        }
        received = _take(token, owner, owner, amount);
    }

    /// @inheritdoc IVault
    function withdraw(address token, uint256 amount, address to) external nonReentrant {
        require(to != address(0), VaultAddressZero());
        _debit(tokenIndex(token), msg.sender, amount);
        emit Withdrawn(token, msg.sender, amount, to);
        IERC20(token).safeTransfer(to, amount);
    }

    /// @inheritdoc IVault
    function withdrawFees(address token, uint256 amount, address to) external nonReentrant {
        require(msg.sender == feeAccount, VaultCallerNotFeeAccount(msg.sender));
        require(to != address(0), VaultAddressZero());
        uint256 available = feesAvailable(token);
        require(amount <= available, VaultBalanceTooLow(msg.sender, amount, available));
        uint8 index = tokenIndex(token);
        _feesWithdrawn[index] += amount;
        _held[index] -= amount;
        emit FeesWithdrawn(token, amount, to);
        IERC20(token).safeTransfer(to, amount);
    }

    /// @inheritdoc IVault
    function lock(address token, address client, uint256 deposit_, address provider, uint256 collateral)
        external
        onlyMarket
        returns (uint8 index)
    {
        index = tokenIndex(token);
        _debit(index, client, deposit_);
        _debit(index, provider, collateral);
        _held[index] += deposit_ + collateral;
    }

    /// @inheritdoc IVault
    function release(uint8 index, address client, uint256 refund, address provider, uint256 collateral)
        external
        onlyMarket
    {
        _held[index] -= refund + collateral;
        _balances[index][client] += refund;
        _balances[index][provider] += collateral;
    }

    /// @inheritdoc IVault
    function stake(address owner, uint256 amount) external onlyRegistry {
        _debit(0, owner, amount);
        _staked += amount;
    }

    /// @inheritdoc IVault
    function unstake(address owner, uint256 amount) external onlyRegistry {
        _staked -= amount;
        _balances[0][owner] += amount;
    }

    /// @inheritdoc IVault
    function slash(address to, uint256 reward, uint256 forfeited) external onlyRegistry {
        _staked -= reward + forfeited;
        _balances[0][to] += reward;
        _forfeit(forfeited);
    }

    /// @inheritdoc IVault
    function bond(address owner, uint256 amount) external onlyDisputes {
        _debit(0, owner, amount);
        _bonded += amount;
    }

    /// @inheritdoc IVault
    function unbond(address to, uint256 amount, uint256 forfeited) external onlyDisputes {
        _bonded -= amount + forfeited;
        _balances[0][to] += amount;
        _forfeit(forfeited);
    }

    /// @inheritdoc IVault
    function claim(address token, address provider) external returns (uint256 amount) {
        uint8 index = tokenIndex(token);
        address beneficiary = IProviderRegistry(registry).beneficiaryOf(provider);
        amount = IDealMarket(market).collect(index, provider);
        _held[index] -= amount;
        _balances[index][beneficiary] += amount;
        emit Claimed(token, provider, beneficiary, amount);
    }

    /// @inheritdoc IVault
    function balanceOf(address token, address owner) external view returns (uint256) {
        uint8 index = tokenIndex(token);
        uint256 earned = _keepsEarnings(owner) ? IDealMarket(market).earnedOf(index, owner) : 0;
        return _balances[index][owner] + earned;
    }

    /// @inheritdoc IVault
    function heldOf(address token) external view returns (uint256) {
        return _held[tokenIndex(token)];
    }

    /// @inheritdoc IVault
    function stakedOf(address token) external view returns (uint256) {
        return tokenIndex(token) == 0 ? _staked : 0;
    }

    /// @inheritdoc IVault
    function bondedOf(address token) external view returns (uint256) {
        return tokenIndex(token) == 0 ? _bonded : 0;
    }

    /// @inheritdoc IVault
    function feesCollected(address token) public view returns (uint256) {
        uint8 index = tokenIndex(token);
        return IDealMarket(market).feesOf(index) + (index == 0 ? _forfeited : 0);
    }

    /// @inheritdoc IVault
    function feesAvailable(address token) public view returns (uint256) {
        return feesCollected(token) - _feesWithdrawn[tokenIndex(token)];
    }

    /// @inheritdoc IVault
    function tokens() external view returns (address[] memory) {
        return _tokens;
    }

    /// @inheritdoc IVault
    function tokenAt(uint8 index) external view returns (address) {
        return _tokens[index];
    }

    /// @inheritdoc IVault
    function tokenIndex(address token) public view returns (uint8) {
        uint256 place = _places[token];
        require(place != 0, VaultTokenUnknown(token));
        return uint8(place - 1);
    }

    function _take(address token, address from, address owner, uint256 amount)
        private
        returns (uint256 received)
    {
        uint8 index = tokenIndex(token);
        require(owner != address(0), VaultAddressZero());
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(from, address(this), amount);
        received = IERC20(token).balanceOf(address(this)) - before;
        require(received != 0, VaultNothingReceived(token));
        _balances[index][owner] += received;
        emit Deposited(token, owner, received, from);
    }

    /// @notice Takes from a free balance; what settled deals owe to the owner is moved into it when needed.
    function _debit(uint8 index, address owner, uint256 amount) private {
        uint256 available = _balances[index][owner];
        if (amount > available && _keepsEarnings(owner)) {
            uint256 earned = IDealMarket(market).collect(index, owner);
            _held[index] -= earned;
            available += earned;
        }
        require(amount <= available, VaultBalanceTooLow(owner, amount, available));
        _balances[index][owner] = available - amount;
    }

    /// @notice False for a provider that named somebody else as beneficiary.
    function _keepsEarnings(address owner) private view returns (bool) {
        return IProviderRegistry(registry).beneficiaryOf(owner) == owner;
    }

    function _forfeit(uint256 amount) private {
        if (amount == 0) return;
        _held[0] += amount;
        _forfeited += amount;
    }
}
