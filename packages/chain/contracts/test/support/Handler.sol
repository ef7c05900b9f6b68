// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IDealMarket} from "../../src/interfaces/IDealMarket.sol";
import {IProofLedger} from "../../src/interfaces/IProofLedger.sol";
import {IVault} from "../../src/interfaces/IVault.sol";
import {DealTerms} from "../../src/types/DealTerms.sol";
import {Network} from "./Network.sol";

/// @notice The moves of the invariant test, each made legal first so that none reverts, with a plain record of
/// what happened beside.
contract Handler is Network {
    uint256 public deposited;
    uint256 public withdrawn;

    DealTerms[] private _terms;
    bytes32[] private _deals;
    uint64[] private _provenPeriods;
    /// @dev Nonce of the deal in each slot; kept after it is freed, unused then.
    mapping(uint256 slot => uint256 nonce) private _nonceOf;

    function setUp() public override {
        super.setUp();
        deposited = 2_000_000e6 + MINIMUM_STAKE;
    }

    function deposit(uint256 amount, bool toProvider) external {
        amount = bound(amount, 1, 1000e6);
        fund(toProvider ? provider : client, amount);
        deposited += amount;
    }

    function withdraw(uint256 amount, uint8 who) external {
        if (who % 3 == 2) {
            amount = amount % (vault.feesAvailable(address(token)) + 1);
            vm.prank(feeAccount);
            vault.withdrawFees(address(token), amount, feeAccount);
        } else {
            address owner = who % 3 == 0 ? client : provider;
            uint256 balance = vault.balanceOf(address(token), owner);
            // Now and then everything, so that earnings have to be collected.
            amount = amount % 4 == 0 ? balance : amount % (balance / 2 + 1);
            vm.prank(owner);
            vault.withdraw(address(token), amount, owner);
        }
        withdrawn += amount;
    }

    function openDeal(uint64 rate, uint32 periods, uint64 money, uint8 leaves) external {
        if (slots.count() >= 12 && slots.firstFree() == slots.count()) return;
        DealTerms memory terms = termsOf(_deals.length + 1, uint64(leaves % 3 + 1));
        terms.rate = uint128(bound(rate, 0, 3e15));
        terms.periods = uint32(bound(periods, 1, 30));
        terms.notice = uint32(money % 5);
        uint256 least = terms.periods < terms.notice ? terms.periods : terms.notice;
        if (least == 0) least = 1;
        uint256 needed = uint256(terms.rate) * least * PERIOD / 1e12;
        terms.deposit = uint128(needed + money % 20e6);
        terms.collateral = uint128(money % 7e6);
        if (vault.balanceOf(address(token), client) < terms.deposit) return;
        if (vault.balanceOf(address(token), provider) < terms.collateral) return;
        uint32 slot = slots.firstFree();
        _deals.push(openAt(terms, slot));
        _terms.push(terms);
        _nonceOf[slot] = uint256(terms.nonce);
    }

    function nextPeriod(uint16 seconds_) external {
        vm.warp(startOf(period() + 1) + seconds_ % PERIOD);
    }

    function proveNext(uint8 ahead) external {
        uint64 next = period() + 1 + ahead % 3;
        vm.warp(startOf(next));
        if (proofs.snapshotAt(provider, next).weight == 0) return;
        uint256[] memory nonces = new uint256[](slots.count());
        for (uint256 i = 0; i < nonces.length; i++) {
            nonces[i] = _nonceOf[i];
        }
        prove(next, nonces);
        _provenPeriods.push(next);
    }

    function settle(uint256 which) external {
        if (_deals.length != 0) market.settle(_deals[which % _deals.length]);
    }

    function settleAll() external {
        market.settleMany(_deals);
    }

    function declareFault(uint256 which) external {
        if (_deals.length == 0) return;
        which = which % _deals.length;
        IDealMarket.DealState state = market.getDeal(_deals[which]).state;
        if (state == IDealMarket.DealState.Active) fault(_terms[which]);
    }

    function terminate(uint256 which) external {
        if (_deals.length == 0) return;
        which = which % _deals.length;
        if (period() >= market.getDeal(_deals[which]).end) return;
        vm.prank(client);
        market.terminateDeal(_terms[which]);
    }

    function close(uint256 which) external {
        if (_deals.length == 0) return;
        which = which % _deals.length;
        IDealMarket.Deal memory record = market.getDeal(_deals[which]);
        bool ended = record.state == IDealMarket.DealState.Ended;
        if (ended && proofs.finalThrough(provider) >= record.end) market.closeDeal(_terms[which]);
    }

    function release(uint256 which) external {
        if (_deals.length == 0) return;
        which = which % _deals.length;
        IDealMarket.Deal memory record = market.getDeal(_deals[which]);
        if (record.inTree && period() >= record.end) releaseSlot(_terms[which]);
    }

    // What the invariants look at

    function theVault() external view returns (IVault) {
        return vault;
    }

    function theToken() external view returns (address) {
        return address(token);
    }

    function tokensInVault() external view returns (uint256) {
        return token.balanceOf(address(vault));
    }

    function balances() external view returns (uint256) {
        return vault.balanceOf(address(token), client) + vault.balanceOf(address(token), provider);
    }

    function earned() external view returns (uint256) {
        return market.earnedOf(0, provider);
    }

    function escrowAndCollateral() external view returns (uint256 sum) {
        for (uint256 i = 0; i < _deals.length; i++) {
            if (market.getDeal(_deals[i]).state == IDealMarket.DealState.Closed) continue;
            sum += market.escrowOf(_terms[i]) + _terms[i].collateral;
        }
    }

    function dealCount() external view returns (uint256) {
        return _deals.length;
    }

    function deal(uint256 index) external view returns (IDealMarket.Deal memory) {
        return market.getDeal(_deals[index]);
    }

    function depositOf(uint256 index) external view returns (uint256) {
        return _terms[index].deposit;
    }

    /// @notice Proven periods of a deal that are settled, from the list.
    function provenNaively(uint256 index) external view returns (uint256 count) {
        IDealMarket.Deal memory record = market.getDeal(_deals[index]);
        for (uint256 i = 0; i < _provenPeriods.length; i++) {
            uint64 p = _provenPeriods[i];
            bool counts = p >= record.start && p < record.end && p < record.settledThrough;
            if (counts && !(record.faulted && p >= record.faultedFrom)) count++;
        }
    }

    function compareProven() external view {
        uint64 last = period() + 2;
        vm.assertEq(proofs.provenBetween(provider, 0, last), _provenPeriods.length, "all");
        for (uint256 i = 0; i < _provenPeriods.length; i++) {
            uint64 p = _provenPeriods[i];
            vm.assertTrue(proofs.isProven(provider, p), "proven");
            vm.assertEq(proofs.provenBetween(provider, 0, p), i, "before");
            vm.assertEq(proofs.provenBetween(provider, p, last), _provenPeriods.length - i, "after");
        }
    }

    function compareTree() external view {
        (IProofLedger.Snapshot memory tree, uint64 count) = proofs.treeOf(provider);
        (bytes32 root, uint64 weight) = slots.root();
        vm.assertEq(tree.root, root, "root");
        vm.assertEq(tree.weight, weight, "weight");
        vm.assertEq(count, slots.count(), "slots");
    }
}
