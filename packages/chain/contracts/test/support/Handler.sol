// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IDealMarket} from "../../src/interfaces/IDealMarket.sol";
import {IDisputes} from "../../src/interfaces/IDisputes.sol";
import {IProofLedger} from "../../src/interfaces/IProofLedger.sol";
import {IProviderRegistry} from "../../src/interfaces/IProviderRegistry.sol";
import {IVault} from "../../src/interfaces/IVault.sol";
import {DealTerms} from "../../src/types/DealTerms.sol";
import {HostileMoves} from "./HostileMoves.sol";
import {ITestToken} from "./ITestToken.sol";

/// @notice The network of the invariant test: one client and one provider who do everything, strangers who try, and
/// two bystanders with a deal of their own who do nothing. What invariants look at, and how everybody goes on or
/// leaves.
contract Handler is HostileMoves {
    uint256 private constant BYSTANDER_KEY = 0xb15;
    uint256 private constant BYSTANDER_OPERATOR_KEY = 0xb16;
    uint256 private constant BYSTANDER_MONEY = 200e6;

    address private immutable bystander = vm.addr(BYSTANDER_KEY);
    address private immutable bystanderProvider = vm.addr(0xb17);

    DealTerms private _quiet;
    bytes32 private _quietDeal;

    function setUp() public override {
        super.setUp();
        deposited[address(token)] = 2_000_000e6 + MINIMUM_STAKE;
        fund(secondToken, client, 1_000_000e6);
        fund(secondToken, provider, 1_000_000e6);
        deposited[address(secondToken)] = 2_000_000e6;
        _openTheBystandersDeal();
    }

    function _openTheBystandersDeal() private {
        fund(bystander, BYSTANDER_MONEY);
        fund(bystanderProvider, BYSTANDER_MONEY);
        deposited[address(token)] += 2 * BYSTANDER_MONEY;
        address key = vm.addr(BYSTANDER_OPERATOR_KEY);
        vm.prank(bystanderProvider);
        registry.register(settingsFor(key), MINIMUM_STAKE);
        DealTerms memory terms = termsOf(1 << 200, 1);
        (terms.client, terms.provider) = (bystander, bystanderProvider);
        _quiet = terms;
        bytes32 id = market.dealIdOf(terms);
        bytes memory a = signed(BYSTANDER_KEY, id);
        bytes memory b = signed(BYSTANDER_OPERATOR_KEY, id);
        _quietDeal = market.openDeal(terms, a, b, 0, "");
    }

    // How everybody goes on, and how everybody leaves

    /// @notice Whatever happened, a provider that is not terminated can prove again and be paid for it, without anybody's
    /// help: what it cannot answer it ends itself.
    function theProviderGoesOn() external {
        if (standing().terminatedAt != 0) return;
        uint64 first = period() + 1;
        for (uint64 p = first; p < first + 3; p++) {
            seed(p);
        }
        vm.warp(startOf(first + 3));
        _endQuestions();
        if (proofs.snapshotAt(provider, first + 3).weight == 0) return;
        prove(first + 3, _nonces());
        vm.assertTrue(proofs.isProven(provider, first + 3), "proven");
        finalise(first + 3);
        (uint64 through, uint64 proven) = proofs.accrued(provider, first + 3, first + 4);
        vm.assertTrue(through == first + 4 && proven == 1, "final and paid");
    }

    /// @notice From any state, without any seed ever coming again and without a provider that answers: every deal is
    /// closed and every unit leaves the vault.
    function everybodyLeaves() external {
        vm.warp(startOf(period() + 45));
        _endQuestions();
        for (uint256 i = 0; i < _deals.length; i++) {
            if (!_isRunning(i)) continue;
            vm.prank(client);
            market.terminateDeal(_terms[i]);
        }
        vm.warp(startOf(period() + 10));
        for (uint256 i = 0; i < _deals.length; i++) {
            IDealMarket.DealState state = market.getDeal(_deals[i]).state;
            if (state != IDealMarket.DealState.Closed) _close(i);
            if (market.getDeal(_deals[i]).inTree) releaseSlot(_terms[i]);
        }
        vm.prank(stranger);
        market.closeDeal(_quiet);
        uint256 all = _takeAll(token, bystander);
        vm.assertEq(all, BYSTANDER_MONEY, "nobody else touched it");
        all = _takeAll(token, bystanderProvider);
        vm.assertEq(all, BYSTANDER_MONEY - MINIMUM_STAKE, "but for its stake");
        _emptyTheVault();
    }

    /// @notice Whatever state others are in, a stranger settles every deal, and everybody takes its free balance.
    function everybodySettlesAndWithdraws() external {
        vm.startPrank(stranger);
        for (uint256 i = 0; i < _deals.length; i++) {
            market.settle(_deals[i]);
        }
        market.settleMany(_deals);
        market.settle(_quietDeal);
        vm.stopPrank();
        uint256 clock = now_() < startOf(0) + WINDOW + DISPUTE_TIME
            ? 0
            : (now_() - startOf(0) - WINDOW - DISPUTE_TIME) / PERIOD + 1;
        vm.assertEq(proofs.finalThrough(bystanderProvider), clock, "nobody's periods wait for another's");
        ITestToken[2] memory both = [token, secondToken];
        for (uint256 i = 0; i < 2; i++) {
            _takeAll(both[i], client);
            _takeAll(both[i], provider);
            _takeAll(both[i], bystander);
            _takeAll(both[i], bystanderProvider);
            _takeFees(both[i]);
        }
    }

    // What the invariants look at

    function theVault() external view returns (IVault) {
        return vault;
    }

    function theTokens() external view returns (address[2] memory) {
        return [address(token), address(secondToken)];
    }

    function tokensInVault(address money) external view returns (uint256) {
        return ITestToken(money).balanceOf(address(vault));
    }

    /// @notice Free balances of everybody, earnings that are not collected included.
    function balances(address money) external view returns (uint256) {
        return vault.balanceOf(money, client) + vault.balanceOf(money, provider)
            + vault.balanceOf(money, bystander) + vault.balanceOf(money, bystanderProvider);
    }

    function earned(address money) external view returns (uint256) {
        return market.earnedOf(vault.tokenIndex(money), provider);
    }

    function escrowAndCollateral(address money) external view returns (uint256 sum) {
        for (uint256 i = 0; i < _deals.length; i++) {
            if (_terms[i].token != money) continue;
            if (market.getDeal(_deals[i]).state == IDealMarket.DealState.Closed) continue;
            sum += market.escrowOf(_terms[i]) + _terms[i].collateral;
        }
        if (money == address(token)) sum += _quiet.deposit + _quiet.collateral;
    }

    function dealCount() external view returns (uint256) {
        return _deals.length;
    }

    function deal(uint256 index) external view returns (IDealMarket.Deal memory) {
        return market.getDeal(_deals[index]);
    }

    function idAt(uint256 index) external view returns (bytes32 kept, bytes32 computed) {
        return (_deals[index], market.dealIdOf(_terms[index]));
    }

    function escrowAt(uint256 index) external view returns (uint256) {
        return market.escrowOf(_terms[index]);
    }

    function termsAt(uint256 index) external view returns (DealTerms memory) {
        return _terms[index];
    }

    function endingAt(uint256 index) external view returns (Ending memory) {
        return _endings[index];
    }

    function compareTree() external view {
        (IProofLedger.Snapshot memory tree, uint64 count) = proofs.treeOf(provider);
        (bytes32 root, uint64 weight) = slots.root();
        vm.assertEq(tree.root, root, "root");
        vm.assertEq(tree.weight, weight, "weight");
        vm.assertEq(count, slots.count(), "slots");
    }

    /// @notice Ends what is open by the way that the rules leave: with periods in which the chain was usable, or for want
    /// of them.
    function _endQuestions() private {
        for (uint256 i = 0; i < _asked.length; i++) {
            IDisputes.Dispute memory dispute = disputes.disputeOf(_idOf(_asked[i]));
            if (dispute.status != IDisputes.Status.Open) continue;
            (bool found, uint64 counts) = _usableFrom(uint64((dispute.openedAt - GENESIS) / PERIOD));
            uint256 before = vault.feesCollected(address(token));
            disputes.slashTimeout(
                provider, _asked[i].period, _asked[i].question, found ? usable(counts) : none()
            );
            forfeits[address(token)] += vault.feesCollected(address(token)) - before;
            _unmark(_asked[i].period);
        }
        IProofLedger.Standing memory standing_ = standing();
        if (!standing_.auditOwed) return;
        (bool usable_, uint64 of_) = _usableFrom(standing_.last + 1);
        vm.prank(client);
        disputes.slashAudit(provider, usable_ ? of_ : standing_.last);
        _unmark(standing_.last);
    }

    function _emptyTheVault() private {
        (IProviderRegistry.Settings memory mine, uint256 stake) = registry.getProvider(provider);
        mine.accepting = false;
        vm.prank(provider);
        registry.update(mine);
        mine = settingsFor(vm.addr(BYSTANDER_OPERATOR_KEY));
        mine.accepting = false;
        bytes memory path = "";
        vm.prank(vm.addr(BYSTANDER_OPERATOR_KEY));
        market.releaseSlot(_quiet, path);
        vm.prank(bystanderProvider);
        registry.update(mine);
        finalise(period());
        vm.prank(provider);
        registry.withdrawStake(stake);
        vm.prank(bystanderProvider);
        registry.withdrawStake(MINIMUM_STAKE);
        ITestToken[2] memory both = [token, secondToken];
        for (uint256 i = 0; i < 2; i++) {
            _takeAll(both[i], client);
            _takeAll(both[i], provider);
            _takeAll(both[i], bystanderProvider);
            _takeFees(both[i]);
            vm.assertEq(both[i].balanceOf(address(vault)), 0, "nothing stays behind");
        }
    }

    function _takeAll(ITestToken money, address owner) private returns (uint256 all) {
        all = vault.balanceOf(address(money), owner);
        uint256 before = money.balanceOf(owner);
        vm.prank(owner);
        vault.withdraw(address(money), all, owner);
        vm.assertEq(money.balanceOf(owner), before + all, "arrives");
    }

    function _takeFees(ITestToken money) private {
        uint256 fees = vault.feesAvailable(address(money));
        vm.prank(feeAccount);
        vault.withdrawFees(address(money), fees, feeAccount);
    }
}
