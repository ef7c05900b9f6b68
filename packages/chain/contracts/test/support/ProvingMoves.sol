// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity 0.8.37;

import {IDisputes} from "../../src/interfaces/IDisputes.sol";
import {IProofLedger} from "../../src/interfaces/IProofLedger.sol";
import {Bundle} from "../../src/libraries/Bundle.sol";
import {Bundles} from "./Bundles.sol";

/// @notice What a provider and whoever watches it do about periods, each move made legal first so that none reverts,
/// with a plain record of marks, misses and questions beside. The provider is not always honest: bundles lose
/// entries, and entries from number 5 on are never there.
abstract contract ProvingMoves is Bundles {
    struct Asked {
        uint64 period;
        uint256 index;
        Bundle.Question question;
    }

    /// @notice What went to the fee account besides fees.
    mapping(address token => uint256) public forfeits;

    uint64[] internal _everMarked;
    mapping(uint64 period => bool) internal _marked;
    mapping(uint64 period => bool) internal _missed;
    mapping(uint64 period => bytes) private _books;
    Asked[] internal _asked;
    /// @dev Nonce of the deal in each slot; kept after it is freed, unused then.
    mapping(uint256 slot => uint256 nonce) internal _nonceOf;

    uint64 private _finalSeen;
    uint64 private _provenSeen;
    uint64 private _unitsSeen;

    function proveNext(uint8 ahead) external finalStaysFinal {
        (bool ready, uint64 next) = _enter(ahead);
        if (!ready) return;
        prove(next, _nonces());
        _mark(next);
    }

    /// @notice Up to five periods in a row.
    function proveSome(uint8 count) external {
        for (uint256 i = 0; i < count % 6; i++) {
            this.proveNext(0);
        }
    }

    function commitNext(uint8 ahead, uint8 lost) external finalStaysFinal {
        (bool ready, uint64 next) = _enter(ahead);
        if (!ready) return;
        Book memory book = bookOf(next, _nonces());
        if (lost % 5 == 0) lose(book, globalQuestion(0), 0);
        if (lost % 3 == 0) _loseFirstOfADeal(book);
        put(next, rootOf(book));
        _books[next] = abi.encode(book);
        _mark(next);
    }

    function answerAudit() external finalStaysFinal {
        IProofLedger.Standing memory standing_ = standing();
        if (!standing_.auditOwed || !_isKept(standing_.last)) return;
        Book memory book = abi.decode(_books[standing_.last], (Book));
        if (book.answers[0].length != 0) proofs.answerAudit(provider, auditOf(book));
    }

    function slashAudit() external finalStaysFinal {
        IProofLedger.Standing memory standing_ = standing();
        if (!standing_.auditOwed) return;
        (bool found, uint64 usable_) = _usableFrom(standing_.last + 1);
        bool expired = period() >= standing_.last + 30;
        if (!found && !expired) return;
        uint256 stake = _stake();
        vm.prank(client);
        disputes.slashAudit(provider, found ? usable_ : standing_.last);
        _countSlash(stake, found && _marked[standing_.last]);
        _unmark(standing_.last);
    }

    function askSomething(uint8 back, uint8 number, bool aboutADeal) external {
        uint64 of_ = period() < back % 4 ? 0 : period() - back % 4;
        if (!proofs.isProven(provider, of_) || !_isKept(of_)) return;
        if (now_() > startOf(of_) + WINDOW + DISPUTE_TIME - ANSWER_TIME) return;
        if (_bondNow() > vault.balanceOf(address(token), client) || standing().openDisputes >= 64) return;
        Bundle.Question memory question = globalQuestion(number % 8);
        uint256 index = number % 8;
        bytes memory membership;
        if (aboutADeal) {
            (bytes32 root,) = slots.root();
            if (root != proofs.snapshotAt(provider, of_).root) return;
            uint32 slot = _firstTaken();
            membership = membershipOf(slot);
            question = dealQuestion(slots.slotAt(slot).deal, number % 5);
            index = 460 + number % 5;
        }
        if (disputes.disputeOf(disputes.idOf(provider, of_, question)).openedAt != 0) return;
        ask(of_, question, membership);
        _asked.push(Asked(of_, index, question));
    }

    function reply(uint256 which) external finalStaysFinal {
        (bool found, Asked memory asked) = _openQuestion(which);
        if (!found) return;
        Book memory book = abi.decode(_books[asked.period], (Book));
        if (book.answers[asked.index].length == 0) return;
        uint256 bond = disputes.disputeOf(_idOf(asked)).bond;
        disputes.answerDispute(placeOf(asked.period, asked.question), openingOf(book, asked.index));
        forfeits[address(token)] += bond - BOND;
    }

    function timeout(uint256 which) external finalStaysFinal {
        (bool found, Asked memory asked) = _openQuestion(which);
        if (!found) return;
        uint64 openedAt = disputes.disputeOf(_idOf(asked)).openedAt;
        if (now_() < openedAt + ANSWER_TIME) return;
        (bool usable_, uint64 counts) = _usableFrom(uint64((openedAt - GENESIS) / PERIOD));
        if (!usable_ && now_() < openedAt + 30 * PERIOD) return;
        uint256 stake = _stake();
        disputes.slashTimeout(provider, asked.period, asked.question, usable_ ? usable(counts) : none());
        _countSlash(stake, usable_ && _marked[asked.period]);
        _unmark(asked.period);
    }

    /// @notice Two questions about one period that nobody answers.
    function loseTwice(uint8 back, uint8 number) external {
        this.askSomething(back, number, false);
        this.askSomething(back, number % 8 + 1, number % 2 == 0);
        uint64 next = period() + 1;
        seed(next);
        vm.warp(startOf(next + 1) + 100);
        this.timeout(0);
        this.timeout(1);
    }

    /// @notice Now and then no seed comes for a month: what is asked then, or owed, expires.
    function seedsStop(uint8 luck, uint8 number) external {
        if (luck % 8 != 0) return;
        vm.warp(startOf(period() + 1));
        this.askSomething(1, number, false);
        vm.warp(startOf(period() + 31));
        this.timeout(_asked.length == 0 ? 0 : _asked.length - 1);
        this.slashAudit();
    }

    function report() external finalStaysFinal {
        for (uint64 p = proofs.finalThrough(provider); p <= period(); p++) {
            if (p >= (proofs.finalThrough(provider) / 30 + 2) * 30) return;
            if (_missed[p] || now_() < startOf(p) + WINDOW) continue;
            try proofs.isMissed(provider, p) returns (bool missed) {
                if (!missed) continue;
                proofs.reportMissed(provider, p);
                _missed[p] = true;
                return;
            } catch {
                continue;
            }
        }
    }

    function onlySeed(uint8 ahead) external {
        seed(period() + 1 + ahead % 3);
    }

    /// @notice Now and then a provider is away for so long that it is terminated.
    function beAway(uint8 luck) external finalStaysFinal {
        if (luck % 16 != 0 || standing().terminatedAt != 0) return;
        uint64 first = period() + 1;
        vm.warp(startOf(first));
        if (proofs.snapshotAt(provider, first).weight == 0) return;
        uint64[] memory list = new uint64[](14);
        for (uint64 i = 0; i < 14; i++) {
            list[i] = first + i;
            seed(first + i);
        }
        vm.warp(startOf(first + 13) + WINDOW);
        proofs.terminateProvider(provider, list);
    }

    /// @dev Every move that changes what is said about periods ends with this. Invariants cannot do it: what they
    /// write is thrown away.
    modifier finalStaysFinal() {
        _;
        _checkFinality();
    }

    /// @notice Finality goes on only, and what was said about final periods stays said.
    function _checkFinality() private {
        uint64 through = proofs.finalThrough(provider);
        vm.assertGe(through, _finalSeen, "finality goes on");
        (, uint64 proven) = proofs.accrued(provider, 0, _finalSeen);
        vm.assertEq(proven, _provenSeen, "marks of final periods stay");
        vm.assertEq(proofs.faultUnits(provider, 0, _finalSeen), _unitsSeen, "so do their misses");
        (, _provenSeen) = proofs.accrued(provider, 0, through);
        (_finalSeen, _unitsSeen) = (through, proofs.faultUnits(provider, 0, through));
    }

    /// @notice Every period there is, marked or not, is as the plain list says.
    function comparePeriods() external view {
        uint64 last = period() + 3;
        uint256 count;
        for (uint64 p = 0; p < last; p++) {
            vm.assertTrue(proofs.isProven(provider, p) == _marked[p], "marked");
            vm.assertTrue(proofs.isMissRecorded(provider, p) == _missed[p], "missed");
            vm.assertEq(proofs.provenBetween(provider, 0, p), count, "before");
            if (_marked[p]) count++;
        }
        vm.assertEq(proofs.faultUnits(provider, 0, last), unitsNaively(last), "units");
    }

    /// @notice Units of misses before `to`, by counting.
    function unitsNaively(uint64 to) internal view returns (uint256 units) {
        for (uint64 block_ = 0; block_ * 30 < to; block_++) {
            uint256 misses;
            for (uint64 p = block_ * 30; p < block_ * 30 + 30 && p < to; p++) {
                if (_missed[p]) misses++;
            }
            if (misses > 2) units += 3 * (misses - 2);
        }
    }

    /// @notice Whether slots cannot change now, for an old dispute.
    function treeStands() internal view returns (bool) {
        IProofLedger.Standing memory standing_ = standing();
        return standing_.openDisputes != 0 && period() >= standing_.oldestDisputed + 8;
    }

    /// @notice Goes into a period and seeds it; false when the provider cannot prove it.
    function _enter(uint8 ahead) private returns (bool ready, uint64 next) {
        next = period() + 1 + ahead % 3 / 2;
        vm.warp(startOf(next));
        if (proofs.snapshotAt(provider, next).weight == 0) return (false, next);
        seed(next);
        IProofLedger.Standing memory standing_ = standing();
        ready = standing_.terminatedAt == 0 && !standing_.auditOwed && !treeStands();
    }

    /// @notice A valid proof or commitment was just taken: it was time for it.
    function _mark(uint64 of_) private {
        bool inWindow = now_() >= startOf(of_) && now_() < startOf(of_) + WINDOW;
        vm.assertTrue(inWindow && proofs.seedOf(of_) != 0 && !_marked[of_], "once, seeded, inside the window");
        _everMarked.push(of_);
        _marked[of_] = true;
    }

    function _unmark(uint64 of_) internal {
        if (_marked[of_]) _missed[of_] = true;
        _marked[of_] = false;
    }

    function _loseFirstOfADeal(Book memory book) private view {
        uint32 slot = _firstTaken();
        lose(book, dealQuestion(slots.slotAt(slot).deal, 0), 460);
    }

    function _firstTaken() private view returns (uint32 slot) {
        while (slots.slotAt(slot).leaves == 0) slot++;
    }

    function _nonces() internal view returns (uint256[] memory nonces) {
        nonces = new uint256[](slots.count());
        for (uint256 i = 0; i < nonces.length; i++) {
            nonces[i] = _nonceOf[i];
        }
    }

    /// @notice Whether bundle and tree of a committed period are still there.
    function _isKept(uint64 of_) private view returns (bool) {
        if (_books[of_].length == 0) return false;
        try proofs.committedOf(provider, of_) {
            return true;
        } catch {
            return false;
        }
    }

    /// @notice The first period that is over and had a seed.
    function _usableFrom(uint64 from) internal view returns (bool found, uint64 of_) {
        for (of_ = from; of_ < period(); of_++) {
            if (beacon.seedOf(of_) != 0) return (true, of_);
        }
    }

    function _openQuestion(uint256 which) private view returns (bool found, Asked memory asked) {
        for (uint256 i = 0; i < _asked.length; i++) {
            asked = _asked[(which % _asked.length + i) % _asked.length];
            if (disputes.disputeOf(_idOf(asked)).status == IDisputes.Status.Open) return (true, asked);
        }
    }

    function _idOf(Asked memory asked) internal view returns (bytes32) {
        return disputes.idOf(provider, asked.period, asked.question);
    }

    function _bondNow() private view returns (uint256) {
        return BOND * (standing().openDisputes + 1);
    }

    function _stake() private view returns (uint256 stake) {
        (, stake) = registry.getProvider(provider);
    }

    /// @param costs Whether the period is lost for the first time, on a chain that was usable.
    function _countSlash(uint256 before, bool costs) private {
        uint256 slashed = before - _stake();
        uint256 most = before < SLASH ? before : SLASH;
        vm.assertEq(slashed, costs ? most : 0, "a period is slashed once");
        forfeits[address(token)] += slashed - slashed / 2;
    }
}
