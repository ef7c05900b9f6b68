// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IDealMarket} from "../../src/interfaces/IDealMarket.sol";
import {IProviderRegistry} from "../../src/interfaces/IProviderRegistry.sol";
import {DealTerms} from "../../src/types/DealTerms.sol";
import {ITestToken} from "./ITestToken.sol";
import {ProvingMoves} from "./ProvingMoves.sol";
import {Vm} from "./Vm.sol";

/// @notice What clients and the provider do about deals and money, in both tokens, each move made legal first, with a
/// plain record of unpaid periods beside. Whoever needs no right to a call is a stranger.
abstract contract MoneyMoves is ProvingMoves {
    /// @notice Periods of a deal that are not paid for a fault, from <= p < to.
    /// @param since First period of the fault that lasts or was last.
    /// @param before `to` before that fault widened it, 0 when it did not.
    struct Gap {
        uint64 from;
        uint64 to;
        uint64 since;
        uint64 before;
    }

    /// @notice Who has how much of a token.
    struct Purse {
        uint256 client;
        uint256 provider;
        uint256 fees;
    }

    /// @notice What DealClosed said.
    struct Ending {
        uint256 refund;
        uint256 returned;
        uint256 compensation;
        uint256 forfeited;
    }

    uint64 private constant LASTS = type(uint64).max;

    address internal immutable stranger = vm.addr(0x57a4);

    mapping(address token => uint256) public deposited;
    mapping(address token => uint256) public withdrawn;

    DealTerms[] internal _terms;
    bytes32[] internal _deals;
    mapping(uint256 index => bool) internal _noticed;
    mapping(uint256 index => Ending) internal _endings;
    mapping(uint256 index => Gap[]) private _gaps;

    function deposit(uint256 amount, bool toProvider, bool second) external {
        amount = bound(amount, 1, 1000e6);
        ITestToken money = second ? secondToken : token;
        fund(money, toProvider ? provider : client, amount);
        deposited[address(money)] += amount;
    }

    function withdraw(uint256 amount, uint8 who, bool second) external {
        address money = second ? address(secondToken) : address(token);
        if (who % 3 == 2) {
            amount = amount % (vault.feesAvailable(money) + 1);
            vm.prank(feeAccount);
            vault.withdrawFees(money, amount, feeAccount);
        } else {
            address owner = who % 3 == 0 ? client : provider;
            uint256 balance = vault.balanceOf(money, owner);
            // Now and then everything but for bonds, so that earnings have to be collected.
            amount = amount % 4 == 0 && balance > 100e6 ? balance - 100e6 : amount % (balance / 2 + 1);
            vm.prank(owner);
            vault.withdraw(money, amount, owner);
        }
        withdrawn[money] += amount;
    }

    function openDeal(uint64 rate, uint32 periods, uint64 money, uint8 leaves) external {
        if (slots.count() >= 12 && slots.firstFree() == slots.count()) return;
        (, bool accepting) = registry.operatorOf(provider);
        if (!accepting || treeStands()) return;
        DealTerms memory terms = termsOf(_deals.length + 1, uint64(leaves % 3 + 1));
        if (leaves % 4 == 3) terms.token = address(secondToken);
        terms.rate = uint128(bound(rate, 0, 3e15));
        terms.periods = uint32(bound(periods, 1, 30));
        terms.notice = uint32(money % 5);
        uint256 least = terms.periods < terms.notice ? terms.periods : terms.notice;
        if (least == 0) least = 1;
        uint256 needed = uint256(terms.rate) * least * PERIOD / 1e12;
        terms.deposit = uint128(needed + money % 20e6);
        terms.collateral = uint128(money % 70e6);
        terms.replacementCost = uint128(money % 5e6);
        if (vault.balanceOf(terms.token, client) < terms.deposit) return;
        if (vault.balanceOf(terms.token, provider) < terms.collateral) return;
        uint32 slot = slots.firstFree();
        _deals.push(openAt(terms, slot));
        _terms.push(terms);
        _nonceOf[slot] = uint256(terms.nonce);
    }

    function nextPeriod(uint16 seconds_) external finalStaysFinal {
        vm.warp(startOf(period() + 1) + seconds_ % PERIOD);
    }

    /// @notice Goes on within the period, often beyond its window.
    function waitInThePeriod(uint16 seconds_) external finalStaysFinal {
        uint256 left = startOf(period() + 1) - 1 - now_();
        vm.warp(now_() + seconds_ % (left + 1));
    }

    function settle(uint256 which) external finalStaysFinal {
        if (_deals.length == 0) return;
        vm.prank(stranger);
        market.settle(_deals[which % _deals.length]);
    }

    function settleAll() external {
        vm.prank(stranger);
        market.settleMany(_deals);
    }

    function declareFault(uint256 which) external finalStaysFinal {
        if (_deals.length == 0 || treeStands()) return;
        which = which % _deals.length;
        IDealMarket.Deal memory before = market.getDeal(_deals[which]);
        if (before.state != IDealMarket.DealState.Active) return;
        fault(_terms[which]);
        uint64 since = market.getDeal(_deals[which]).faultedSince;
        vm.assertEq(since, _faultFrom(before.start), "from the first period that is not marked");
        Gap[] storage gaps = _gaps[which];
        if (before.faultedFrom == 0) {
            gaps.push(Gap(since, LASTS, since, 0));
        } else {
            Gap storage last = gaps[gaps.length - 1];
            (last.before, last.since, last.to) = (last.to, since, LASTS);
        }
    }

    function recover(uint256 which) external finalStaysFinal {
        if (_deals.length == 0) return;
        which = which % _deals.length;
        seed(period() + 1);
        if (market.getDeal(_deals[which]).state != IDealMarket.DealState.Faulty || treeStands()) return;
        _recover(which);
    }

    /// @notice A fault and its recovery, within a period or with proven ones between and after.
    function faultAndRecover(uint256 which, uint8 between) external finalStaysFinal {
        if (_deals.length == 0) return;
        which = which % _deals.length;
        if (between % 4 == 0 && beacon.seedOf(period()) == 0) return;
        this.declareFault(which);
        if (between % 4 != 0) {
            this.proveSome(between % 4);
            seed(period() + 1);
        }
        if (market.getDeal(_deals[which]).state != IDealMarket.DealState.Faulty || treeStands()) return;
        _recover(which);
        if (between % 8 > 4) this.proveSome(4);
    }

    function topUp(uint256 which, uint64 money) external {
        if (_deals.length == 0) return;
        which = which % _deals.length;
        if (!_isRunning(which) || _noticed[which]) return;
        DealTerms memory terms = _terms[which];
        uint256 term = uint256(terms.rate) * terms.periods * PERIOD / 1e12;
        uint256 now__ = terms.deposit + market.getDeal(_deals[which]).toppedUp;
        uint256 amount = term > now__ ? money % (term - now__ + 1) : 0;
        if (amount > vault.balanceOf(terms.token, client)) return;
        vm.prank(client);
        market.topUp(terms, uint128(amount));
    }

    /// @notice Notice of the client or the provider, or consent.
    function terminate(uint256 which, uint8 how) external {
        if (_deals.length == 0) return;
        which = which % _deals.length;
        if (!_isRunning(which)) return;
        _noticed[which] = true;
        bytes32 digest = market.consentOf(_deals[which]);
        if (how % 3 == 0) {
            vm.prank(client);
            market.terminateDeal(_terms[which]);
        } else if (how % 3 == 1) {
            vm.prank(operator);
            market.resignDeal(_terms[which]);
        } else {
            (bytes memory a, bytes memory b) = (signed(CLIENT_KEY, digest), signed(OPERATOR_KEY, digest));
            vm.prank(stranger);
            market.closeByConsent(_terms[which], a, b);
        }
    }

    function close(uint256 which) external finalStaysFinal {
        if (_deals.length == 0) return;
        which = which % _deals.length;
        IDealMarket.Deal memory record = market.getDeal(_deals[which]);
        if (record.state != IDealMarket.DealState.Ended) return;
        if (proofs.finalThrough(provider) >= record.end) _close(which);
    }

    function release(uint256 which) external {
        if (_deals.length == 0 || treeStands()) return;
        which = which % _deals.length;
        IDealMarket.Deal memory record = market.getDeal(_deals[which]);
        if (record.inTree && period() >= record.end) releaseSlot(_terms[which]);
    }

    /// @notice After a slash the provider fills its stake up and accepts again.
    function restock() external {
        (IProviderRegistry.Settings memory mine, uint256 stake) = registry.getProvider(provider);
        if (mine.accepting || standing().terminatedAt != 0) return;
        uint256 missing = stake < MINIMUM_STAKE ? MINIMUM_STAKE - stake : 0;
        if (missing > vault.balanceOf(address(token), provider)) return;
        mine.accepting = true;
        vm.startPrank(provider);
        registry.addStake(missing);
        registry.update(mine);
        vm.stopPrank();
    }

    /// @notice Marked periods of a deal that are settled, from the list.
    function provenNaively(uint256 index) public view returns (uint256 count) {
        IDealMarket.Deal memory record = market.getDeal(_deals[index]);
        uint64 ended = standing().terminatedAt;
        for (uint256 i = 0; i < _everMarked.length; i++) {
            uint64 p = _everMarked[i];
            if (!_marked[p] || p < record.start || p >= record.end || p >= record.settledThrough) continue;
            if (ended != 0 && p >= ended) continue;
            if (!_isFaulty(index, p)) count++;
        }
    }

    /// @notice Closes a deal, and compares every purse with what the spec says, counted plainly.
    function _close(uint256 which) internal {
        IDealMarket.Deal memory record = market.getDeal(_deals[which]);
        DealTerms memory terms = _terms[which];
        uint256 paidBefore = record.paid;
        Purse memory before = _purse(terms.token);
        vm.recordLogs();
        vm.prank(stranger);
        market.closeDeal(terms);
        Ending memory ending = _readEnding();
        _endings[which] = ending;
        record = market.getDeal(_deals[which]);
        vm.assertEq(record.proven, provenNaively(which), "every marked period once");
        (uint256 seized, uint256 part) = _expected(which, record);
        vm.assertEq(ending.compensation, part, "compensation");
        vm.assertEq(ending.forfeited, seized - part, "forfeited");
        Purse memory after_ = _purse(terms.token);
        uint256 gross = record.paid - paidBefore;
        uint256 fee = record.paid * 500 / 10_000 - paidBefore * 500 / 10_000;
        vm.assertEq(after_.client - before.client, ending.refund + part, "client");
        vm.assertEq(after_.provider - before.provider, gross - fee + ending.returned, "provider");
        vm.assertEq(after_.fees - before.fees, fee + ending.forfeited, "fee account");
        forfeits[terms.token] += ending.forfeited;
    }

    function _isRunning(uint256 index) internal view returns (bool) {
        return period() < market.getDeal(_deals[index]).end;
    }

    function _recover(uint256 which) private {
        DealTerms memory terms = _terms[which];
        bytes[] memory openings = recoveryOf(terms, period(), uint256(terms.nonce));
        uint32 slot = slots.firstFree();
        bytes memory path = slots.path(slot);
        vm.prank(operator);
        market.recoverDeal(terms, slot, path, openings);
        slots.put(slot, _deals[which], terms.root, (terms.length + 1023) / 1024);
        _nonceOf[slot] = uint256(terms.nonce);
        Gap[] storage gaps = _gaps[which];
        Gap storage last = gaps[gaps.length - 1];
        uint64 paidFrom = period() + 1;
        if (last.since < paidFrom) (last.to, last.before) = (paidFrom, 0);
        else if (last.before != 0) (last.to, last.before) = (last.before, 0);
        else gaps.pop();
    }

    /// @notice The first period that a fault declared now leaves unpaid.
    function _faultFrom(uint64 start) private view returns (uint64 from) {
        from = _marked[period()] ? period() + 1 : period();
        if (from < start) from = start;
    }

    function _isFaulty(uint256 index, uint64 p) private view returns (bool) {
        Gap[] storage gaps = _gaps[index];
        for (uint256 i = 0; i < gaps.length; i++) {
            if (p >= gaps[i].from && p < gaps[i].to) return true;
        }
        return false;
    }

    function _expected(uint256 which, IDealMarket.Deal memory record)
        private
        view
        returns (uint256 seized, uint256 part)
    {
        DealTerms memory terms = _terms[which];
        uint256 units = unitsNaively(record.end) - unitsNaively(record.start);
        for (uint64 p = record.start; p < record.end; p++) {
            if (_isFaulty(which, p)) units++;
        }
        uint256 charge = uint256(terms.rate) * units * PERIOD / 1e12;
        if (charge > terms.collateral) charge = terms.collateral;
        seized = record.lost ? terms.collateral : charge;
        part = record.lost ? seized : charge / 2;
        if (part > terms.replacementCost) part = terms.replacementCost;
    }

    function _readEnding() private returns (Ending memory ending) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; i++) {
            if (logs[i].topics[0] == IDealMarket.DealClosed.selector) {
                return abi.decode(logs[i].data, (Ending));
            }
        }
        revert("no DealClosed");
    }

    function _purse(address money) private view returns (Purse memory) {
        return
            Purse(
                vault.balanceOf(money, client), vault.balanceOf(money, provider), vault.feesAvailable(money)
            );
    }
}
