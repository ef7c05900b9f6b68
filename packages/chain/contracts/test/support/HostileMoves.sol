// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IDealMarket} from "../../src/interfaces/IDealMarket.sol";
import {IDisputes} from "../../src/interfaces/IDisputes.sol";
import {IProofLedger} from "../../src/interfaces/IProofLedger.sol";
import {IProviderRegistry} from "../../src/interfaces/IProviderRegistry.sol";
import {IVault} from "../../src/interfaces/IVault.sol";
import {MoneyMoves} from "./MoneyMoves.sol";

/// @notice What somebody tries who wants more than the rules give: each attempt must be refused, whatever the state.
abstract contract HostileMoves is MoneyMoves {
    /// @notice A mark outside of the window, without a seed, twice, by a stranger, or from answers that are wrong.
    function markWrongly(uint8 how, uint8 back) external {
        uint64 now_period = period();
        if (how % 5 == 0) {
            _commitFails(stranger, now_period, "by a stranger");
        } else if (how % 5 == 1) {
            uint64 old = now_period < 1 + back % 9 ? 0 : now_period - 1 - back % 9;
            if (old < now_period) _commitFails(operator, old, "a period whose window is over");
            _commitFails(operator, now_period + 1 + back % 9, "a period to come");
        } else if (how % 5 == 2) {
            if (beacon.seedOf(now_period) == 0 || _marked[now_period]) {
                _commitFails(operator, now_period, "without a seed, or twice");
            }
            uint256 time = now_();
            if (time < startOf(now_period) + WINDOW) vm.warp(startOf(now_period) + WINDOW);
            _commitFails(operator, now_period, "at the end of the window or later");
            vm.warp(time);
        } else if (how % 5 == 3) {
            if (standing().auditOwed) _commitFails(operator, now_period, "before its audit");
        } else {
            _proveWithAWrongAnswer(now_period);
        }
    }

    /// @notice Somebody else's answers, or one that was never there.
    function answerWrongly(uint256 which) external {
        IProofLedger.Standing memory standing_ = standing();
        if (standing_.auditOwed) {
            bytes[] memory openings = new bytes[](proofs.directChallenges());
            _fails(
                stranger, address(proofs), abi.encodeCall(proofs.answerAudit, (provider, openings)), "audit"
            );
        }
        if (_asked.length == 0) return;
        Asked memory asked = _asked[which % _asked.length];
        bytes memory opening = abi.encodePacked(uint64(asked.index), uint64(465), new bytes(1500));
        bytes memory call_ =
            abi.encodeCall(disputes.answerDispute, (placeOf(asked.period, asked.question), opening));
        _fails(stranger, address(disputes), call_, "dispute");
    }

    /// @notice A slash before its time, of nobody, or twice.
    function slashEarly(uint256 which) external {
        bytes memory call_ = abi.encodeCall(disputes.slashAudit, (provider, period()));
        _fails(stranger, address(disputes), call_, "a period that is not over is not usable");
        if (_asked.length == 0) return;
        Asked memory asked = _asked[which % _asked.length];
        IDisputes.Dispute memory dispute = disputes.disputeOf(_idOf(asked));
        bool open = dispute.status == IDisputes.Status.Open;
        if (open && now_() >= dispute.openedAt + ANSWER_TIME) return;
        call_ = abi.encodeCall(
            disputes.slashTimeout, (provider, asked.period, asked.question, usable(asked.period))
        );
        _fails(stranger, address(disputes), call_, open ? "there is time" : "it is over");
    }

    /// @notice A close before the end, before everything is final, or again.
    function closeWrongly(uint256 which) external {
        if (_deals.length == 0) return;
        which = which % _deals.length;
        IDealMarket.Deal memory record = market.getDeal(_deals[which]);
        bool ended = record.state == IDealMarket.DealState.Ended;
        if (ended && proofs.finalThrough(provider) >= record.end) return;
        _fails(stranger, address(market), abi.encodeCall(market.closeDeal, (_terms[which])), "close");
    }

    /// @notice More than one's own, or stake that answers for something.
    function takeTooMuch(uint8 who, bool second) external {
        address money = second ? address(secondToken) : address(token);
        address owner = who % 4 == 0 ? client : who % 4 == 1 ? provider : who % 4 == 2 ? operator : stranger;
        uint256 more = vault.balanceOf(money, owner) + 1;
        _fails(owner, address(vault), abi.encodeCall(vault.withdraw, (money, more, owner)), "withdraw");
        more = vault.feesAvailable(money);
        _fails(owner, address(vault), abi.encodeCall(vault.withdrawFees, (money, more, owner)), "fees");
        (, bool accepting) = registry.operatorOf(provider);
        IProofLedger.Standing memory standing_ = standing();
        (, uint64 weight) = slots.root();
        if (accepting || weight != 0 || standing_.auditOwed || standing_.openDisputes != 0) {
            _fails(provider, address(registry), abi.encodeCall(registry.withdrawStake, (1)), "stake");
        }
        _fails(owner, address(registry), abi.encodeCall(registry.withdrawStake, (type(uint128).max)), "stake");
    }

    /// @notice The calls that contracts keep for each other.
    function useBackDoors(uint8 which) external {
        bytes[10] memory calls = [
            abi.encodeCall(IVault.release, (0, stranger, 1, stranger, 0)),
            abi.encodeCall(IVault.unstake, (stranger, 1)),
            abi.encodeCall(IVault.slash, (stranger, 1, 0)),
            abi.encodeCall(IVault.unbond, (stranger, 1, 0)),
            abi.encodeCall(IVault.lock, (address(token), client, 1, provider, 0)),
            abi.encodeCall(IProviderRegistry.slash, (provider, 1, stranger)),
            abi.encodeCall(IProofLedger.revoke, (provider, period())),
            abi.encodeCall(IProofLedger.acceptSeed, (period(), bytes32(uint256(1)))),
            abi.encodeCall(IProofLedger.hold, (provider, period())),
            abi.encodeCall(IDealMarket.collect, (0, provider))
        ];
        uint256 index = which % 10;
        address to = index < 5 ? address(vault) : address(registry);
        if (index > 5) to = index == 9 ? address(market) : address(proofs);
        _fails(stranger, to, calls[index], "a back door");
    }

    function _proveWithAWrongAnswer(uint64 of_) private {
        bool could = beacon.seedOf(of_) != 0 && proofs.snapshotAt(provider, of_).weight != 0;
        (bytes32 root,) = slots.root();
        if (!could || proofs.snapshotAt(provider, of_).root != root) return;
        bytes[] memory list = answers(of_, _nonces());
        list[list.length - 1][500] ^= 0x01;
        _fails(operator, address(proofs), abi.encodeCall(proofs.provePeriod, (provider, of_, list)), "proof");
    }

    function _commitFails(address from, uint64 of_, string memory why) private {
        _fails(from, address(proofs), abi.encodeCall(proofs.commitPeriod, (of_, keccak256("made up"))), why);
    }

    function _fails(address from, address to, bytes memory data, string memory why) private {
        vm.prank(from);
        (bool success,) = to.call(data);
        vm.assertTrue(!success, why);
    }
}
