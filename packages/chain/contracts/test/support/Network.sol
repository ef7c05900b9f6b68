// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IBeacon} from "../../src/interfaces/IBeacon.sol";
import {IDealMarket} from "../../src/interfaces/IDealMarket.sol";
import {IDisputes} from "../../src/interfaces/IDisputes.sol";
import {IProofLedger} from "../../src/interfaces/IProofLedger.sol";
import {IProviderRegistry} from "../../src/interfaces/IProviderRegistry.sol";
import {IVault} from "../../src/interfaces/IVault.sol";
import {Challenge} from "../../src/libraries/Challenge.sol";
import {DealTerms} from "../../src/types/DealTerms.sol";
import {RuleParams} from "../../src/types/RuleParams.sol";
import {ScheduleParams} from "../../src/types/ScheduleParams.sol";
import {Base} from "./Base.sol";
import {ITestToken} from "./ITestToken.sol";
import {LocalDrand} from "./LocalDrand.sol";
import {PayloadTree} from "./PayloadTree.sol";
import {SlotReference} from "./SlotReference.sol";

/// @notice A whole network with one client and one provider, deployed as production is: addresses by nonce, real
/// BLS seeds. Small payloads, named by their deal's nonce.
abstract contract Network is Base {
    uint64 internal constant GENESIS = 1_750_000_000;
    uint64 internal constant PERIOD = 1000;
    uint64 internal constant WINDOW = 400;
    uint64 internal constant SEED_DELAY = 10;
    uint256 internal constant FEE_BPS = 500;
    uint256 internal constant MINIMUM_STAKE = 100e6;
    uint64 internal constant DISPUTE_TIME = 2 * PERIOD;
    uint64 internal constant ANSWER_TIME = PERIOD;
    uint32 internal constant AUDIT_CHANCE = 30;
    uint256 internal constant BOND = 1e6;
    uint256 internal constant SLASH = 10e6;
    uint256 internal constant CLIENT_KEY = 0xc11e47;
    uint256 internal constant OPERATOR_KEY = 0x09e4a704;
    /// @dev One token per period exactly: 1e6 base units in 1000 seconds.
    uint128 internal constant RATE = 1e15;

    address internal immutable client = vm.addr(CLIENT_KEY);
    address internal immutable operator = vm.addr(OPERATOR_KEY);
    address internal immutable provider = vm.addr(0x04e4);
    address internal immutable feeAccount = vm.addr(0xfee);

    ITestToken internal token;
    ITestToken internal secondToken;
    IBeacon internal beacon;
    IVault internal vault;
    IProviderRegistry internal registry;
    IProofLedger internal proofs;
    IDisputes internal disputes;
    IDealMarket internal market;
    SlotReference internal slots;

    function setUp() public virtual {
        deployNetwork(5);
        registerProvider();
        fund(client, 1_000_000e6);
        fund(provider, 1_000_000e6);
    }

    function schedule() internal pure returns (ScheduleParams memory) {
        return ScheduleParams(GENESIS, PERIOD, WINDOW, SEED_DELAY, 1_692_803_367, 3);
    }

    function deployNetwork(uint256 challenges) internal {
        vm.warp(GENESIS);
        token = ITestToken(vm.deployCode("TestStablecoin.sol"));
        slots = new SlotReference();
        secondToken = ITestToken(vm.deployCode("TestStablecoin.sol"));
        address[] memory tokens = new address[](2);
        (tokens[0], tokens[1]) = (address(token), address(secondToken));
        uint256 next = vm.getNonce(address(this)) + 2;
        address registry_ = vm.computeCreateAddress(address(this), next);
        address proofs_ = vm.computeCreateAddress(address(this), next + 1);
        address disputes_ = vm.computeCreateAddress(address(this), next + 2);
        address market_ = vm.computeCreateAddress(address(this), next + 3);
        beacon = IBeacon(
            vm.deployCode("DrandBeacon.sol", abi.encode(schedule(), LocalDrand.publicKey(), proofs_))
        );
        vault =
            IVault(vm.deployCode("Vault.sol", abi.encode(tokens, feeAccount, registry_, disputes_, market_)));
        registry = IProviderRegistry(
            vm.deployCode("ProviderRegistry.sol", abi.encode(vault, proofs_, disputes_, MINIMUM_STAKE))
        );
        RuleParams memory rules = rulesWith(challenges);
        proofs = IProofLedger(
            vm.deployCode("ProofLedger.sol", abi.encode(registry, market_, disputes_, beacon, rules))
        );
        disputes = IDisputes(vm.deployCode("Disputes.sol", abi.encode(vault, registry, proofs, BOND, SLASH)));
        market = IDealMarket(
            vm.deployCode("DealMarket.sol", abi.encode(vault, registry, proofs, disputes, FEE_BPS))
        );
    }

    function rulesWith(uint256 challenges) internal view virtual returns (RuleParams memory) {
        return RuleParams(DISPUTE_TIME, ANSWER_TIME, AUDIT_CHANCE, uint8(challenges));
    }

    function settings() internal view returns (IProviderRegistry.Settings memory) {
        return settingsFor(operator);
    }

    function settingsFor(address key) internal view returns (IProviderRegistry.Settings memory) {
        return IProviderRegistry.Settings({
            operator: key,
            beneficiary: address(0),
            tlsKeyHash: keccak256("tls"),
            endpoint: "127.0.0.1:7000",
            region: "eu-north",
            token: address(token),
            pricePerTibMonth: 2_500_000,
            provingFeeMonth: 20_000,
            egressPerTib: 1_000_000,
            accepting: true
        });
    }

    function registerProvider() internal {
        fund(provider, MINIMUM_STAKE);
        vm.prank(provider);
        registry.register(settings(), MINIMUM_STAKE);
    }

    /// @notice Mints and deposits into the vault.
    function fund(address owner, uint256 amount) internal {
        fund(token, owner, amount);
    }

    function fund(ITestToken money, address owner, uint256 amount) internal {
        money.mint(owner, amount);
        vm.startPrank(owner);
        money.approve(address(vault), amount);
        vault.deposit(address(money), owner, amount);
        vm.stopPrank();
    }

    function now_() internal view returns (uint256) {
        return vm.getBlockTimestamp();
    }

    function period() internal view returns (uint64) {
        return uint64((now_() - GENESIS) / PERIOD);
    }

    function startOf(uint64 of_) internal pure returns (uint256) {
        return GENESIS + uint256(of_) * PERIOD;
    }

    /// @notice Goes to the time from which a period is final.
    function finalise(uint64 of_) internal {
        uint256 time = startOf(of_) + WINDOW + DISPUTE_TIME;
        if (time > now_()) vm.warp(time);
    }

    /// @notice A deal for 10 periods at one token per period.
    function termsOf(uint256 nonce, uint64 leaves) internal view returns (DealTerms memory) {
        bytes32 name = bytes32(nonce);
        return DealTerms({
            client: client,
            provider: provider,
            token: address(token),
            scheme: 1,
            root: PayloadTree.root(name, leaves),
            length: leaves * 1024,
            dataset: keccak256("dataset"),
            rate: RATE,
            periods: 10,
            deposit: 10e6,
            collateral: 90e6,
            notice: 3,
            replacementCost: 50e6,
            egressPrice: 1e6,
            attributes: 0,
            takedown: 0,
            openBefore: uint64(now_() + 10),
            nonce: name
        });
    }

    function signed(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function open(DealTerms memory terms) internal returns (bytes32 deal) {
        return openAt(terms, slots.firstFree());
    }

    function openAt(DealTerms memory terms, uint32 slot) internal returns (bytes32 deal) {
        bytes32 id = market.dealIdOf(terms);
        bytes memory clientSignature = signed(CLIENT_KEY, id);
        bytes memory operatorSignature = signed(OPERATOR_KEY, id);
        deal = market.openDeal(terms, clientSignature, operatorSignature, slot, slots.path(slot));
        slots.put(slot, deal, terms.root, (terms.length + 1023) / 1024);
    }

    function fault(DealTerms memory terms) internal {
        uint32 slot = market.getDeal(market.dealIdOf(terms)).slot;
        bytes memory path = slots.path(slot);
        vm.prank(operator);
        market.declareFault(terms, path);
        slots.clear(slot);
    }

    function releaseSlot(DealTerms memory terms) internal {
        uint32 slot = market.getDeal(market.dealIdOf(terms)).slot;
        bytes memory path = slots.path(slot);
        vm.prank(operator);
        market.releaseSlot(terms, path);
        slots.clear(slot);
    }

    /// @notice Goes to a time in the period at which its seed can be posted, and posts it unless it is there.
    function seed(uint64 of_) internal {
        vm.warp(startOf(of_) + SEED_DELAY + 3);
        if (beacon.seedOf(of_) != 0) return;
        beacon.postSeed(of_, LocalDrand.sign(beacon.roundFor(of_)));
    }

    /// @notice The challenged positions of the provider in a seeded period.
    function positions(uint64 of_) internal view returns (uint256[] memory list) {
        IProofLedger.Snapshot memory tree = proofs.snapshotAt(provider, of_);
        bytes32 base =
            Challenge.challengeBase(block.chainid, address(proofs), provider, of_, beacon.seedOf(of_));
        list = new uint256[](proofs.directChallenges());
        for (uint32 i = 0; i < list.length; i++) {
            list[i] = Challenge.globalChallenge(base, i, tree.weight);
        }
    }

    /// @notice The answer to a position, for deals whose payload is named by `nonces[slot]`.
    function answer(uint256 position, uint256[] memory nonces) internal view returns (bytes memory) {
        (uint32 slot, uint256 leaf) = slots.locate(position);
        return answerAt(slot, leaf, nonces[slot]);
    }

    /// @notice The answer that opens a leaf of the deal in `slot`.
    function answerAt(uint32 slot, uint256 leaf, uint256 nonce) internal view returns (bytes memory) {
        SlotReference.Slot memory held = slots.slotAt(slot);
        return abi.encodePacked(
            held.deal,
            uint8(1),
            held.root,
            held.leaves,
            slot,
            slots.path(slot),
            PayloadTree.opening(bytes32(nonce), held.leaves, leaf)
        );
    }

    function answers(uint64 of_, uint256[] memory nonces) internal view returns (bytes[] memory list) {
        uint256[] memory asked = positions(of_);
        list = new bytes[](asked.length);
        for (uint256 i = 0; i < asked.length; i++) {
            list[i] = answer(asked[i], nonces);
        }
    }

    /// @notice Seeds and proves a period. The tree must not have changed in the period.
    function prove(uint64 of_, uint256[] memory nonces) internal {
        seed(of_);
        bytes[] memory list = answers(of_, nonces);
        vm.prank(operator);
        proofs.provePeriod(provider, of_, list);
    }

    function prove(uint64 of_, uint256 nonce) internal {
        prove(of_, only(nonce));
    }

    function only(uint256 nonce) internal pure returns (uint256[] memory nonces) {
        nonces = new uint256[](1);
        nonces[0] = nonce;
    }

    function two(uint256 a, uint256 b) internal pure returns (uint256[] memory nonces) {
        nonces = new uint256[](2);
        (nonces[0], nonces[1]) = (a, b);
    }
}
