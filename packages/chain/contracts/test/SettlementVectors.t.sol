// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IDisputes} from "../src/interfaces/IDisputes.sol";
import {IProofLedger} from "../src/interfaces/IProofLedger.sol";
import {IProviderRegistry} from "../src/interfaces/IProviderRegistry.sol";
import {Bundle} from "../src/libraries/Bundle.sol";
import {Closing} from "../src/libraries/Closing.sol";
import {MissedPeriods} from "../src/libraries/MissedPeriods.sol";
import {Pricing} from "../src/libraries/Pricing.sol";
import {ProvenPeriods} from "../src/libraries/ProvenPeriods.sol";
import {Terms} from "../src/libraries/Terms.sol";
import {RuleParams} from "../src/types/RuleParams.sol";
import {ScheduleParams} from "../src/types/ScheduleParams.sol";
import {VectorFile} from "./support/VectorFile.sol";

/// @notice Settlement against the vectors that packages/protocol is held to as well. This contract stands for the
/// contracts that those under test are wired to: beacon, registry, disputes, vault.
contract SettlementVectorsTest is VectorFile {
    using MissedPeriods for MissedPeriods.Misses;

    /// @dev Where ProofLedger keeps _proven: layout/ProofLedger.json.
    uint256 private constant PROVEN_SLOT = 2;

    mapping(uint256 i => MissedPeriods.Misses log) private _misses;
    ScheduleParams private _clock;
    /// @dev As ProofLedger says it.
    uint64 public answerTime;
    /// @dev As ProofLedger says it.
    address public disputes;
    IDisputes private _named;
    uint256 private _reward;
    uint256 private _forfeited;
    mapping(bytes32 kind => uint256 count) private _seen;

    function test_Vectors_settlements() external {
        uint256 count = open("settlements");
        for (uint256 i = 0; i < count; i++) {
            next();
            bytes32 kind = keccak256(bytes(vm.parseJsonString(_case, ".kind")));
            _seen[kind]++;
            if (kind == keccak256("misses")) checkMisses(i);
            else if (kind == keccak256("finality")) checkFinality();
            else if (kind == keccak256("audit")) checkAudit();
            else if (kind == keccak256("closing")) checkClosing();
            else if (kind == keccak256("slash")) checkSlash();
            else if (kind == keccak256("consent")) checkConsent();
            else if (kind == keccak256("dispute")) checkDispute();
            else revert(_case);
        }
        vm.assertGe(_seen[keccak256("misses")], 50, "misses were among them");
        vm.assertGe(_seen[keccak256("audit")], 30, "audits were among them");
    }

    function checkMisses(uint256 i) private {
        MissedPeriods.Misses storage log = _misses[i];
        uint256 count = number("missedCount");
        for (uint256 k = 0; k < count; k++) {
            log.write(uint64(number(string.concat("missed[", vm.toString(k), "]"))));
        }
        vm.assertEq(log.unitsBefore(uint64(number("before"))), number("units"), _case);
    }

    function checkFinality() private {
        IProofLedger proofs = ledgerWith(
            ScheduleParams(
                uint64(number("genesis")), uint64(number("period")), uint64(number("window")), 1, 0, 3
            ),
            RuleParams(uint64(number("disputeTime")), uint64(number("answerTime")), 30, 5)
        );
        vm.warp(number("now"));
        vm.assertEq(proofs.finalThrough(address(this)), number("finalBefore"), _case);
        answerTime = uint64(number("answerTime"));
        vm.assertEq(disputesOf().usablePeriods(), number("usableNeeded"), _case);
    }

    /// @notice The period before it is taken as shown; then only chance asks for the audit.
    function checkAudit() private {
        uint64 period = uint64(number("period"));
        RuleParams memory rules = RuleParams(2000, 1000, uint32(number("auditChance")), 5);
        IProofLedger proofs = ledgerWith(ScheduleParams(1000, 1000, 750, 1, 0, 3), rules);
        address provider = account("provider");
        proofs.setOperator(provider, address(0), address(this));
        commit(proofs, period - 1);
        bytes32 place = keccak256(abi.encode(provider, PROVEN_SLOT));
        uint256 newest = uint256(vm.load(address(proofs), place));
        vm.store(address(proofs), place, bytes32(newest | ProvenPeriods.AUDITED));
        commit(proofs, period);
        vm.assertTrue(!proofs.standingOf(provider).auditOwed, "nothing is owed before the next seed");
        proofs.acceptSeed(period + 1, word("nextSeed"));
        vm.assertTrue(proofs.standingOf(provider).auditOwed == flag("drawn"), _case);
    }

    function checkClosing() private view {
        uint128 rate = uint128(number("rate"));
        uint64 period = uint64(number("period"));
        uint256 paid = Pricing.costOf(rate, period, uint32(number("proven")));
        uint256 charged = Pricing.costOf(rate, period, uint32(number("units")));
        vm.assertEq(paid, number("paid"), _case);
        vm.assertEq(charged, number("charged"), _case);
        Closing.Split memory split = Closing.split(
            number("deposit"), paid, number("collateral"), charged, number("replacementCost"), flag("lost")
        );
        vm.assertEq(split.refund, number("refund"), _case);
        vm.assertEq(split.compensation, number("compensation"), _case);
        vm.assertEq(split.returned, number("returned"), _case);
        vm.assertEq(split.forfeited, number("forfeited"), _case);
    }

    function checkSlash() private {
        address self = address(this);
        IProviderRegistry providers =
            IProviderRegistry(vm.deployCode("ProviderRegistry.sol", abi.encode(self, self, self, 0)));
        IProviderRegistry.Settings memory settings;
        settings.operator = self;
        settings.endpoint = "here";
        providers.register(settings, number("stake"));
        uint256 slashed = providers.slash(self, number("disputeSlash"), self);
        vm.assertEq(slashed, number("slashed"), _case);
        vm.assertEq(_reward, number("reward"), _case);
        vm.assertEq(_forfeited, number("forfeited"), _case);
    }

    function checkConsent() private view {
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain(), Terms.consentHash(word("deal"))));
        vm.assertEq(digest, word("digest"), _case);
    }

    function checkDispute() private {
        if (address(_named) == address(0)) _named = disputesOf();
        Bundle.Question memory question =
            Bundle.Question(Bundle.Class(number("class")), word("deal"), uint32(number("i")));
        bytes32 id = _named.idOf(account("provider"), uint64(number("period")), question);
        vm.assertEq(id, word("id"), _case);
    }

    // What the contracts under test ask of those that this one stands for.

    function schedule() external view returns (ScheduleParams memory) {
        return _clock;
    }

    function registry() external view returns (address) {
        return address(this);
    }

    function beacon() external view returns (address) {
        return address(this);
    }

    function tokenIndex(address) external pure returns (uint8) {
        return 0;
    }

    function setOperator(address, address, address) external {}

    function stake(address, uint256) external {}

    function slash(address, uint256 reward, uint256 forfeited) external {
        (_reward, _forfeited) = (reward, forfeited);
    }

    /// @notice Disputes wired to this contract, which names them first.
    function disputesOf() private returns (IDisputes) {
        address self = address(this);
        disputes = vm.computeCreateAddress(self, vm.getNonce(self));
        return IDisputes(vm.deployCode("Disputes.sol", abi.encode(self, self, self, 1, 1)));
    }

    function commit(IProofLedger proofs, uint64 period) private {
        vm.warp(_clock.genesis + period * _clock.period);
        proofs.acceptSeed(period, keccak256(abi.encode(period)));
        proofs.commitPeriod(period, keccak256("bundle"));
    }

    function ledgerWith(ScheduleParams memory clock, RuleParams memory rules) private returns (IProofLedger) {
        address self = address(this);
        _clock = clock;
        return IProofLedger(vm.deployCode("ProofLedger.sol", abi.encode(self, self, self, self, rules)));
    }
}
